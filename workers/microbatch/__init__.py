"""Microbatches: messages gathered for one model call, sized, retried, and reported to Celery."""
