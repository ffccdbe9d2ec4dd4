"""Shadows: versions that get copies of predictions, so that their answers can be compared."""
