"""Batch jobs beside the scripts that users would write instead."""
