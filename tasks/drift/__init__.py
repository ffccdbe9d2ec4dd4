"""Drift: whether rows and answers of a version are spread otherwise than in its sample."""
