"""Benchmarks through the public API, with baselines measured in the same run."""
