"""Batch jobs: submitted, followed, fetched."""
