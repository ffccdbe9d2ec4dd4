"""Loops over trees, compiled to machine code and loaded from a cache."""
