"""What operators ask: health, metrics, statistics, and the page at the root."""
