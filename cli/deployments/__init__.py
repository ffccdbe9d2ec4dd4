"""The commands of deployments, and their documents for other systems."""
