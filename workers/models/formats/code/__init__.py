"""Python code as a model: a function, or a class with methods such as `predict`."""
