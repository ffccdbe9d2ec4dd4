"""Another runtime for a fitted model, where it gives the same answers sooner."""
