"""Carries out what operators tell all workers: to load or unload a version."""
