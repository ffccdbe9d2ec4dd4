"""Shadows: copies that wait beside batch jobs, and what was compared of their answers."""
