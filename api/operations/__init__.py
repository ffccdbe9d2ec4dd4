"""Routes for operators: health, metrics, statistics, and the front page."""
