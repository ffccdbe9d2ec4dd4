"""What came true, over HTTP: told for predictions, and shown for versions."""
