"""The files of the registry: written durably, read while others write, and signed."""
