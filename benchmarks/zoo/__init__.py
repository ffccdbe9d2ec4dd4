"""Realistic models, each served through every door and compared with its own answers."""
