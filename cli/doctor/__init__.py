"""The `doctor` command: the checklist of a deployment, run against the real thing."""
