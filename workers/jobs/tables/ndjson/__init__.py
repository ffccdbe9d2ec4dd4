"""NDJSON: rows as lines of JSON, and their values on the way to the output."""
