"""Messages that share a model call: gathered, sized, and tried again when their process died."""
