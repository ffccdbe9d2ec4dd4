"""Changes of deployments: made, scaled, stopped, started, deleted."""
