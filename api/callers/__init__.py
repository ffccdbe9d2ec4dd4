"""Callers over HTTP: the scope of each route, the keys that are known, the caller of a request."""
