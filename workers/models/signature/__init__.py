"""What a fitted model takes and gives: from a sample of data, else from what the model says."""
