"""Tells what came true of predictions, and shows how good versions are by it."""
