"""Generates random models, and the columns that they are trained on, from a seed."""
