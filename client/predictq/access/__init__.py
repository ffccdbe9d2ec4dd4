"""API keys of a server."""
