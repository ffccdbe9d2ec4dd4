"""Predictions in Redis: acceptance, attempts and settlement."""
