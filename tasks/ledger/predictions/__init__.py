"""Predictions in Redis: accepted together, settled once."""
