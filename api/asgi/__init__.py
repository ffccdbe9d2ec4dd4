"""The ASGI layer: checks requests, receives bodies, and answers simple ones on the event loop."""
