"""Versions that are paused, and versions that were removed."""
