"""Shared by all parts: candidate systems, load generation, results, reports."""
