"""Removes versions with the aliases, deployments and shadows that need them."""
