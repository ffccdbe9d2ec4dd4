"""Many predictions at a time, each with its own id and outcome."""
