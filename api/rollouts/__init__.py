"""Rollouts over HTTP: started, paused, resumed, aborted and shown."""
