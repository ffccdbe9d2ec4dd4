"""The state of the stack, read once a second, kept for an hour, and sent to open pages."""
