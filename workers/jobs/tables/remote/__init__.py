"""The bytes of a file: on this machine or elsewhere, compressed or not."""
