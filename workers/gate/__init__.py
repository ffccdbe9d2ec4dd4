"""The gate: compares what a version serves by each door with what its model answers by itself."""
