"""Batch jobs in workers: validation, scoring of chunks, writing of the output."""
