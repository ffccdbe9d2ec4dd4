"""Arrow streams without the library: heads of rows are read, columns of answers written."""
