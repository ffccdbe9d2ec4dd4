"""What came true: how good the predictions of a version were, once that is known."""
