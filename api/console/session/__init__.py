"""Signing in: one-time codes, sessions, and the check of what a viewer may do."""
