"""Predictions in Redis: acceptance and settlement."""
