"""Reports what a stack did in a period: as a page, as JSON, as CSV."""
