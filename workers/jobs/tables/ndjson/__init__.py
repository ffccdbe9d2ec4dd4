"""NDJSON: rows of JSON, and their values on the way to the output."""
