"""What all parts share: systems that are compared, load, results, reports."""
