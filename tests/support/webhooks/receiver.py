"""A receiver of webhooks on 127.0.0.1, which answers what a test tells it to."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import NamedTuple


class Received(NamedTuple):
    """One POST."""

    path: str
    headers: dict[str, str]
    body: bytes
    status: int


class Receiver:
    """What has come, and what is to be answered on each path: 200 unless told otherwise."""

    def __init__(self, port: int = 0) -> None:
        self.log: list[Received] = []
        self.answers: dict[str, list[tuple[int, dict[str, str]]]] = {}
        """By path: answers in turn; the last one stays."""
        self.hangs: set[str] = set()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                outer._answer(self)

            def log_message(self, *_: object) -> None:
                """Write nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
        self.server.daemon_threads = True

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.server_port}"

    def on(self, path: str) -> list[Received]:
        return [each for each in self.log if each.path == path]

    def _answer(self, request: BaseHTTPRequestHandler) -> None:
        body = request.rfile.read(int(request.headers["content-length"]))
        told = self.answers.get(request.path, [(200, {})])
        status, headers = told.pop(0) if len(told) > 1 else told[0]
        given = {name.lower(): value for name, value in request.headers.items()}
        self.log.append(Received(request.path, given, body, status))
        while request.path in self.hangs:
            time.sleep(0.05)
        request.send_response(status)
        for name, value in {"content-length": "2", **headers}.items():
            request.send_header(name, value)
        request.end_headers()
        request.wfile.write(b"ok")


@contextmanager
def serving(server: ThreadingHTTPServer) -> Iterator[None]:
    """Have a server answer in a thread."""
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@contextmanager
def receiving(port: int = 0) -> Iterator[Receiver]:
    receiver = Receiver(port)
    with serving(receiver.server):
        try:
            yield receiver
        finally:
            receiver.hangs.clear()
