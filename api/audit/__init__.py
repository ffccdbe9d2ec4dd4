"""The audit log over HTTP: what is recorded, and the list of it."""
