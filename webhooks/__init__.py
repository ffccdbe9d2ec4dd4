"""webhooks sends events to the addresses that callers named; it loads no model."""
