"""Shadows: versions that are asked as well as the one that answers, to compare the two."""
