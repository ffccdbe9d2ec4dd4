"""Commands that change settings of a model."""
