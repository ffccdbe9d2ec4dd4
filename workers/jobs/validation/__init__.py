"""A job is validated before anything is computed, and cut into chunks."""
