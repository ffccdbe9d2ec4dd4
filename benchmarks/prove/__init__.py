"""The proof: what was accepted is answered, and rightly, whatever dies in between."""
