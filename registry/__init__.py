"""Names: models, versions, aliases, signatures, artifacts."""
