"""Kernels of linear models and of what stands before a model in a pipeline."""
