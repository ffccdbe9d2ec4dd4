"""Kernels of trees, and of models that consist of trees."""
