"""Dead letters in Redis: buried, listed, replayed, deleted."""
