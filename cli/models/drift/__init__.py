"""Shows drift: as tables, and as plots for the terminal and as SVG."""
