"""Queues and workers: bounds, reservations, estimates, heartbeats, directives, canaries."""
