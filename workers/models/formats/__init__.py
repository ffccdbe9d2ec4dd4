"""Formats of model files: recognised by content, and loaded by the library that each belongs to."""
