"""The predictq command."""
