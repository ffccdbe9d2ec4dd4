"""Removes versions with all that leads to them, and says what does."""
