"""The columns of a file that a model takes, as its table."""
