"""The `predictq webhooks` commands."""
