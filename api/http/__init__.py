"""What all routes share of HTTP: problems, preferences, rights, limits, responses."""
