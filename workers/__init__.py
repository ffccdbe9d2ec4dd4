"""Compute: loading models and answering predictions with them."""
