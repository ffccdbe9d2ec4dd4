"""Shadows over HTTP: set, stopped, and what was compared of their answers."""
