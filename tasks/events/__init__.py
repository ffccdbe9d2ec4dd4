"""Outcomes of all predictions as events: a bounded stream in Redis, kept while it is followed."""
