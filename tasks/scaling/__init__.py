"""How many processes a queue needs: what it asks of its workers, and how the number follows."""
