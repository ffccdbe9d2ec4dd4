"""What the rooms say about themselves: metrics, logs, and the codes of what can go wrong."""
