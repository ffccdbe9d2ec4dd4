"""The way to the server: its address, connections, retries, and what it answers."""
