"""Files of rows: reading them in spans, and writing what a model answered."""
