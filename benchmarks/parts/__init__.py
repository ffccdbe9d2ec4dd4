"""The parts of the suite of single predictions."""
