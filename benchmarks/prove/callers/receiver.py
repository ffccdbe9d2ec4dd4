"""Receives webhook events, verifies them, and refuses some, which must be sent again."""

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from random import Random
from typing import Any

from benchmarks.prove.evidence import Event
from predictq import WebhookRefused, verify_webhook
from tasks.webhooks.signing import webhook_secrets

REFUSED_SHARE = 0.05
"""Share of the requests that are answered with 503, although their event is noted."""


class Receiver(ThreadingHTTPServer):
    """A server on a free port; notes every event by the id that it is about."""

    daemon_threads = True

    def __init__(self, home: Path, chance: Random) -> None:
        """``home``: that of the stack, which has the secret. ``chance``: what is refused."""
        super().__init__(("127.0.0.1", 0), _Handler)
        (self._secret, *_), self._chance = webhook_secrets(home), chance
        self.events: dict[str, list[Event]] = {}
        self.strange: list[str] = []
        """Requests that are no events of this stack."""
        self._thread = threading.Thread(target=self.serve_forever, name="receiver", daemon=True)

    @property
    def url(self) -> str:
        """The address that submissions name."""
        return f"http://127.0.0.1:{self.server_port}/events"

    def start(self) -> None:
        """Receive from now on."""
        self._thread.start()

    def stop(self) -> None:
        """End the server."""
        self.shutdown()
        self._thread.join()
        self.server_close()

    def take(self, body: bytes, headers: dict[str, str]) -> int:
        """Note an event; returns the status to answer with."""
        try:
            told = verify_webhook(body, headers, self._secret)
        except (WebhookRefused, ValueError) as error:
            self.strange.append(f"a request to a webhook: {error}")
            return 401
        data: dict[str, Any] = told["data"]
        event = Event(told["type"], data.get("predictions"))
        self.events.setdefault(data["id"], []).append(event)
        return 503 if self._chance.random() < REFUSED_SHARE else 204


class _Handler(BaseHTTPRequestHandler):
    server: Receiver
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(self.server.take(body, dict(self.headers.items())))
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:
        """Log nothing: the events are the record."""
