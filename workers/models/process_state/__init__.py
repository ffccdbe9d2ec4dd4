"""Owns what a process has only once, such as its working directory: each version has its own."""
