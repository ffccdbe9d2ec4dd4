"""Access to files, local or remote, compressed or not."""
