"""Finds the signature of a fitted model: from a sample of data, else from the model itself."""
