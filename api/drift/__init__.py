"""Drift over HTTP: what was counted of a version beside its baseline, for callers and metrics."""
