"""Rows on their way through a model: to the dtypes that it was trained on, and its answers back."""
