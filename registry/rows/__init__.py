"""Checks of rows: whether they are what a version takes, and what is wrong with them."""
