"""HTTP: the server's address, connections, retries, and parsing of answers."""
