"""The faults of the storm, and what strikes with them."""
