"""Features: the columns of a file that a model takes, as a table."""
