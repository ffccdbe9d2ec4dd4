"""Validation of a job, before anything is computed, and the division into chunks."""
