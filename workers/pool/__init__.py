"""The pool processes that compute predictions, and the fork server that forks them."""
