"""Batch jobs as both sides know them: the object, its keys and scripts, and the gateway to it."""
