"""Microbatches: messages gathered for one model call, sized, and retried when a process dies."""
