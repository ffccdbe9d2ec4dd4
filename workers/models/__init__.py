"""Models: loaded, held, called, and described when they are registered."""
