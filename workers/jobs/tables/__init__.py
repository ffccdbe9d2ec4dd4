"""Tables: files of rows, read and written in spans."""
