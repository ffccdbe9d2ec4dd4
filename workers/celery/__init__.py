"""Celery's side of a worker: messages come in, events go out, and it ends in order."""
