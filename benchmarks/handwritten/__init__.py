"""A minimal baseline: two Redis commands each way, no validation, no crash safety."""
