"""The commands `predictq up` and `predictq restart`: they start and replace a stack's processes."""
