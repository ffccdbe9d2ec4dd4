"""The timeline: what the stack did, minute by minute, for three days."""
