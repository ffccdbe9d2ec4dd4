"""The model registry: names, versions, aliases, signatures, artifacts."""
