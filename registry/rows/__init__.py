"""Checks of rows: against a signature, before a prediction is queued."""
