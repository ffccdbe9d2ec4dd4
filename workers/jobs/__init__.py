"""Batch jobs where they are computed: validated, scored chunk by chunk, put together."""
