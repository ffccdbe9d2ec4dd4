"""The registry over HTTP, and the pauses of its versions."""
