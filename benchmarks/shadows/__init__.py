"""What copies for shadows cost the process that computes predictions."""
