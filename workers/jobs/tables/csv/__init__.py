"""CSV: header, records, and the values of their texts."""
