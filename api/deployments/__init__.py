"""Deployments over HTTP: made, scaled, stopped, started, deleted, and how far each is."""
