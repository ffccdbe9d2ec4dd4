"""The Redis server: whether it is fit to keep predictions, its refusals and its outages."""
