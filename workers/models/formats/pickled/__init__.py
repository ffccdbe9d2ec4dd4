"""Formats that pickle estimators: skops, joblib and pickle files."""
