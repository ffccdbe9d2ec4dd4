"""Waiting for outcomes on an event loop: each caller is a coroutine, and holds no thread."""
