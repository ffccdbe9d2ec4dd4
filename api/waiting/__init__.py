"""Requests that wait for an outcome: on the event loop, each as one coroutine without a thread."""
