"""The event loop's side: a request is admitted, its body received, and plain ones are answered."""
