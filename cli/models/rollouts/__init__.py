"""The commands of rollouts."""
