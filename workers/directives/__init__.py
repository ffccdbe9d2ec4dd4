"""Carries out directives of operators to all workers: to load or unload a version."""
