"""Callers: their keys, tenants, scopes and limits, as API, workers and commands agree on them."""
