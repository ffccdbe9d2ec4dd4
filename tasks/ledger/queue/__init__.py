"""Queues in Redis: bounds, snapshots, and the messages that workers hold."""
