"""Shows that a stack serves a version as its model answers by itself."""
