"""The queues in Redis: their bounds, their state, and what workers hold of them."""
