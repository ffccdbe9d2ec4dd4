"""Random frames and models: served predictions, by every door, must equal the model's own."""
