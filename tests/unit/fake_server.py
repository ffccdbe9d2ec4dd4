"""A real HTTP server on a free port that acts out the service's contract."""

import json
import socket
import threading
from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

RECEIPT = {
    "model": "iris",
    "version": 3,
    "sha256": "ab" * 32,
    "alias": None,
    "attempt": 1,
    "queue_ms": 0.4,
    "compute_ms": 1.5,
    "batch_size": 1,
    "runtime": "scikit-learn 1.9.1",
}


@dataclass(frozen=True)
class Asked:
    method: str
    path: str
    headers: dict[str, str]
    body: Any


@dataclass(frozen=True)
class Answer:
    status: int
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)
    content_type: str = "application/json"


DROP = Answer(0)
"""The connection is closed without an answer."""


def pending(id="p1", status="queued", retry_after="1", **more):
    body = {
        "id": id,
        "task_id": id,
        "status": status,
        "model": "iris",
        "version": 3,
        "created_at": "2026-11-21T06:00:00.000+00:00",
        "expires_at": "2026-11-22T06:00:00.000+00:00",
        "urls": {"result": f"/predict/result/{id}", "cancel": f"/predict/result/{id}"},
    }
    return Answer(202, body | more, {"Retry-After": retry_after} if retry_after else {})


def outcome(status, id="p1", **more):
    return Answer(200, pending(id).body | {"status": status} | more)


def succeeded(predictions, id="p1"):
    return outcome("succeeded", id, predictions=predictions, receipt=RECEIPT)


def job(id="j1", status="running", **more):
    """A batch job as the service tells of it."""
    counts = {
        "total": 10,
        "succeeded": 3,
        "failed": 1,
        "pending": 4,
        "running": 2,
        "cancelled": 0,
    }
    return {
        "id": id,
        "object": "batch",
        "status": status,
        "model": "iris",
        "version": 3,
        "alias": None,
        "methods": ["predict"],
        "input": {"uri": "/data/in.csv", "format": "csv"},
        "output": {"uri": "/data/out.csv", "format": "csv"},
        "created_at": 1795240800.0,
        "counts": counts,
        "rows_per_second": 2000.0,
        "eta_seconds": 65.0,
        "error": None,
        "urls": {"self": f"/predict/batch/{id}"},
    } | more


def events(*jobs):
    """An answer that tells how a job gets on, and ends."""
    told = "".join(f"event: progress\ndata: {json.dumps(job)}\n\n" for job in jobs)
    return Answer(200, told.encode(), content_type="text/event-stream")


def problem(status, code, errors=(), retryable=False, **headers):
    body = {
        "type": "about:blank",
        "title": code,
        "status": status,
        "detail": f"that is {code}",
        "code": code,
        "retryable": retryable,
        "errors": list(errors),
    }
    headers = {name.replace("_", "-"): value for name, value in headers.items()}
    return Answer(status, body, headers, "application/problem+json")


class StandIn:
    """Remembers what it was asked; answers from a script, or as `behave` decides."""

    def __init__(self):
        self.asked: list[Asked] = []
        self.behave: Callable[[Asked], Answer] = lambda _: DROP
        self.url = ""

    def script(self, *answers):
        left = list(answers)
        self.behave = lambda _: left.pop(0)

    @property
    def calls(self):
        return [(asked.method, asked.path) for asked in self.asked]


class _Server(ThreadingHTTPServer):
    request_queue_size = 128


@contextmanager
def stand_in():
    stand = StandIn()
    server = _Server(("127.0.0.1", 0), _handler(stand))
    stand.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield stand
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def _handler(stand):
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = -1  # an answer in one segment, or Nagle costs 40 ms

        def answer(self):
            text = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            body = _decoded(text, self.headers.get("Content-Type", ""))
            asked = Asked(self.command, self.path, dict(self.headers), body)
            stand.asked.append(asked)
            self._send(stand.behave(asked))

        do_GET = do_POST = do_PUT = do_DELETE = answer

        def _send(self, answer):
            if answer is DROP:
                self.close_connection = True
                self.connection.shutdown(socket.SHUT_RDWR)
                return
            content = answer.body if isinstance(answer.body, bytes) else _encode(answer.body)
            self.send_response(answer.status)
            self.send_header("Content-Type", answer.content_type)
            if "Content-Length" not in answer.headers:  # else it breaks off before that
                self.send_header("Content-Length", str(len(content)))
            for name, value in answer.headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_):
            pass

    return Handler


def _decoded(text, content_type):
    if content_type.startswith(("multipart/", "application/vnd.apache.arrow")):
        return text
    if content_type == "application/x-ndjson":
        return [json.loads(line) for line in text.splitlines()]
    return json.loads(text) if text else None


def _encode(body):
    return b"" if body is None else json.dumps(body).encode()
