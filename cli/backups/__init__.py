"""Backups of a running stack, and homes that are made from them."""
