"""The Redis server: whether it can keep what is accepted, and what it refuses."""
