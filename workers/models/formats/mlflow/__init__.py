"""Models that MLflow saved: a directory with a file `MLmodel`."""
