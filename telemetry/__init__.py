"""Metrics, logs, and error codes."""
