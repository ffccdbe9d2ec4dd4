"""What a search of the logs costs."""
