"""The rules of alerts: what is compared, for how long, and what operators are told."""
