"""The `audit` commands: list what was changed and refused, and verify the log."""
