"""The output of a job: columns, encoding, parts, and the file made of them."""
