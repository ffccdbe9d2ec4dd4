"""Pauses of versions, and the removal of versions."""
