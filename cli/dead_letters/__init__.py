"""The `predictq dead-letters` commands."""
