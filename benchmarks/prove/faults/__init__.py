"""Faults, and the storm that injects them."""
