"""Alerts: the rules, read from one file, and the watch that evaluates them without Prometheus."""
