"""Memory of copies of models: in one process, and in a pool."""
