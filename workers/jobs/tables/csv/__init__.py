"""CSV: its head, its records, and the values of their texts."""
