"""HTTP helpers of all routes: problems, preferences, rights, limits, responses."""
