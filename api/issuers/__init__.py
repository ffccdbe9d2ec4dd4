"""Issuers, such as OpenID providers: which are trusted, their keys, the callers of their JWTs."""
