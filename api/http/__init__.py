"""HTTP helpers of all routes: problems, preferences, downloads, responses."""
