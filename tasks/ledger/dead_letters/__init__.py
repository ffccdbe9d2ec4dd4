"""Dead letters in Redis: put there, shown, replayed, deleted."""
