"""A version as a folder that answers without predictq."""
