"""The `alerts` commands, and `watch`, which evaluates the rules."""
