"""Frames and models by chance, each answered by itself and through every door."""
