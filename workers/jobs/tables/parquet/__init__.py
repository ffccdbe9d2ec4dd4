"""Parquet: its shape, and rows of it by their numbers."""
