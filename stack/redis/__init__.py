"""The Redis of a stack: which server, where it listens, how much memory it may take."""
