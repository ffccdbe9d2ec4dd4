"""Mutants: code changed by a little, which the tests must notice."""
