"""The proof that a model is served as it is: its own answers beside those through each door."""
