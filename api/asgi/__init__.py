"""The event loop's side: request checks, bodies, the fast path, idle connections, drain, SSE."""
