"""Targets, by what a caller reaches."""
