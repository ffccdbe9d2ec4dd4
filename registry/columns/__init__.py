"""Columns by name: those of the rows that a model takes, and those of its predictions."""
