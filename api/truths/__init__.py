"""Truths over HTTP: received for predictions, and shown as the quality of versions."""
