"""The registry: versions, aliases and splits of models, registrations, rollouts."""
