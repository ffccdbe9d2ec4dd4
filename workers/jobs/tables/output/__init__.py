"""The output of a job: its columns, its encoding, its parts, and one file of them."""
