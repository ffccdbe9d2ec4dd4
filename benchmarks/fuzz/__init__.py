"""Inputs that nobody would send, for every parser that a caller reaches."""
