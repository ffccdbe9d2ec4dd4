"""Files of rows, read in spans."""
