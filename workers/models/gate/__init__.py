"""The gate: what a version would serve, by each door, beside what its model answers by itself."""
