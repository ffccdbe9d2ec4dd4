"""The console: pages on which operators see the state of a stack and act on it."""
