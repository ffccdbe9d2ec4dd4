"""Load through the public API, side by side with what people run today, in one run."""
