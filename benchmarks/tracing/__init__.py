"""What traces cost each prediction."""
