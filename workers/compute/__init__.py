"""One micro-batch in a process of the pool: checked, computed, settled."""
