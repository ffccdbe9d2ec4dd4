"""Tensors: read from requests, described, and made of predictions."""
