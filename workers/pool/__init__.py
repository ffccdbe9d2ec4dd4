"""The pool processes that compute predictions, the fork server that forks them, their heartbeat."""
