"""The `predictq predict` command."""
