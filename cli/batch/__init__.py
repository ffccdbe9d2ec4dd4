"""The `predictq batch` commands."""
