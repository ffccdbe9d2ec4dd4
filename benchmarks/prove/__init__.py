"""The proof: every accepted prediction is answered correctly, whatever fails meanwhile."""
