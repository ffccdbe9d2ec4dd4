"""Addresses that callers name for events: read, checked, and kept from inner networks."""
