"""Models as people have them, with their rows."""
