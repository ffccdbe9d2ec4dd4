"""Synchronous servers that are compared with predictq, each in an environment of its own."""
