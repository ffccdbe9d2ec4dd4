"""Realistic models with their data."""
