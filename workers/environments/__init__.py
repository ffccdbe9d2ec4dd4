"""Environments of versions: resolved to a lock, made with uv, and entered by an interpreter."""
