"""Fuzzing of every parser that a caller can reach."""
