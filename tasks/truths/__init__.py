"""Truths: the quality of a version's predictions, once their true labels are known."""
