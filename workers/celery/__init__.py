"""The worker's Celery integration: transport, consumer steps, events, heartbeat and shutdown."""
