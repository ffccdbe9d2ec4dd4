"""Limits of what the API does at once: long requests, bytes in memory, lists in a body."""
