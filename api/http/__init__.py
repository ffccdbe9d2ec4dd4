"""HTTP helpers of all routes: problems, preferences, rights, downloads, responses."""
