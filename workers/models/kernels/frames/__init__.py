"""Column transformers: frames of mixed columns become matrices without selecting frames."""
