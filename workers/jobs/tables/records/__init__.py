"""Files of records, CSV or NDJSON: where records end, and spans of them."""
