"""`GET /events`: outcomes of predictions as they come, as server-sent events without a thread."""
