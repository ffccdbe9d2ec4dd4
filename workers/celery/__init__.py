"""Celery's side of a worker: transport, consumer steps, strategies, pool interface and shutdown."""
