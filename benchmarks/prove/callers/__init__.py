"""The callers of the proof: what they submit, how they follow it, and what they saw."""
