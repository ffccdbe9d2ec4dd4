"""The `predictq keys` commands."""
