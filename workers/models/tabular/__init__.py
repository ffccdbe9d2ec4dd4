"""Converts rows to the dtypes that a model was trained on, and its outputs to JSON values."""
