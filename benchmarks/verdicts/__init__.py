"""How often the verdict on a candidate is wrong, and after how many requests it is right."""
