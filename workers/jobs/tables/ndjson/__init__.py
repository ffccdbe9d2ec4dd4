"""NDJSON: rows as lines of JSON."""
