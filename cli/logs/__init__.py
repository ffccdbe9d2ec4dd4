"""Searches and follows the logs of a home."""
