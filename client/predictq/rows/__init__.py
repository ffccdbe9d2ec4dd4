"""Converts rows of any kind (lists, arrays, data frames) to JSON."""
