"""The `predictq models` commands."""
