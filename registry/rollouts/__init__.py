"""Rollouts: an alias is moved to another version in steps, and each step survives a crash."""
