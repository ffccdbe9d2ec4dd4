"""Steady load for minutes, and what every process of the stack takes meanwhile."""
