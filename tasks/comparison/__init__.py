"""Compares the versions of a split alias: what was counted of each, and what that proves."""
