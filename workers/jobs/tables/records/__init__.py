"""Files of records (CSV or NDJSON): the ends of records, and spans."""
