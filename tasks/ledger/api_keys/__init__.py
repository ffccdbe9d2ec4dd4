"""API keys as Redis and key files hold them: without their secrets."""
