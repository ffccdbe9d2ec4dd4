"""Soak test: steady load for minutes, while the resources of every process are sampled."""
