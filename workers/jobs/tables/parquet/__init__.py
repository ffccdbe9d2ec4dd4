"""Parquet: the file's shape, and access to rows by number."""
