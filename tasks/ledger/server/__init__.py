"""The Redis server: whether it is fit to keep predictions, and the errors of its refusals."""
