"""The Redis of a stack: choice of the server, its socket and its memory limit."""
