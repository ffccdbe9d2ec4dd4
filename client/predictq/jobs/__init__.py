"""Batch jobs: submit, follow, download."""
