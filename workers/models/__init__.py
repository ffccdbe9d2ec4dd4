"""Models: loading, caching and calling them, and describing them at registration."""
