"""Measures requests as they end."""

import threading
import time
from collections import deque

from flask import Flask, Response, g, request

from telemetry.metrics import HTTP_REQUESTS, HTTP_SECONDS

OTHER = "other"
"""Label for unknown routes and methods: callers could invent endless ones, each a time series."""
HTTP_METHODS = frozenset(
    ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT")
)
WRITE_EVERY = 0.1
"""Seconds between updates of the metrics; in between, requests are only appended to a list."""


class RequestMetrics:
    """Measures every request. Metrics are updated in bulk, because each one has a lock."""

    def __init__(self) -> None:
        self._ended: deque[tuple[str, str, int, float]] = deque()
        self._written = 0.0
        self._writing = threading.Lock()

    def watch(self, app: Flask) -> None:
        """Measure the requests of this application."""
        app.before_request(self._start)
        app.after_request(self._end)

    def ended(self, route: str, method: str, status: int, started: float) -> None:
        """Record a request that began at ``started``, in seconds of `time.perf_counter`."""
        now, method = time.perf_counter(), method if method in HTTP_METHODS else OTHER
        self._ended.append((route, method, status, now - started))
        if now > self._written + WRITE_EVERY and not self._writing.locked():
            self.write()

    def write(self) -> None:
        """Update the metrics with the requests recorded so far."""
        with self._writing:
            self._written = time.perf_counter()
            for _ in range(len(self._ended)):
                route, method, status, seconds = self._ended.popleft()
                HTTP_REQUESTS.labels(route, method, status).inc()
                HTTP_SECONDS.labels(route).observe(seconds)

    def _start(self) -> None:
        g.started = time.perf_counter()

    def _end(self, response: Response) -> Response:
        if g.get("is_answered_later"):  # and recorded then
            return response
        # Label with the rule, not the path: every id would become a time series.
        route = request.url_rule.rule if request.url_rule else OTHER
        self.ended(route, request.method, response.status_code, g.started)
        return response
