"""Mutation testing: small changes of the code, which the tests must notice."""
