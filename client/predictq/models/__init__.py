"""Models and versions of a server: registered, moved, removed, downloaded."""
