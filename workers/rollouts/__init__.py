"""Carries rollouts on: begins their steps in time, and undoes those that go wrong."""
