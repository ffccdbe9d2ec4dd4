"""Logs, metrics, tracebacks, available memory, and the error tree."""
