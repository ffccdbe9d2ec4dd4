"""Concurrent callers that submit continuously, each over a keep-alive connection."""

import json
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection, HTTPResponse
from typing import Any

CALLERS = 16
PAUSE = 0.25
"""Seconds between a caller's requests: a starting process needs its share of the machine."""
BODY = json.dumps({"model": "iris", "features": [5.1, 3.5, 1.4, 0.2]})
HEADERS = {"content-type": "application/json"}


class Traffic:
    """The accepted ids, and every answer that was no 202."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._over = threading.Event()
        self._threads = [threading.Thread(target=self._call, args=(n,)) for n in range(CALLERS)]
        self.accepted: list[str] = []
        self.failures: list[str] = []
        self.closed = 0
        """Connections that the server ended, as it told in its answer."""

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join()

    def _call(self, number: int) -> None:
        """Submit until stopped; every fourth caller reconnects each time, every fifth waits."""
        path = "/predict" if number % 5 == 4 else "/predict/async"
        connection = HTTPConnection("127.0.0.1", self._port, timeout=30)
        while not self._over.wait(PAUSE):
            try:
                connection.request("POST", path, BODY, HEADERS)
                self._note(connection.getresponse())
            except OSError as error:
                self.failures.append(repr(error))
                connection.close()
            if number % 4 == 3:
                connection.close()
        connection.close()

    def _note(self, answer: HTTPResponse) -> None:
        body: dict[str, Any] = json.loads(answer.read())
        self.closed += answer.will_close
        if answer.status in (200, 202):
            self.accepted.append(body["id"])
        else:
            self.failures.append(f"{answer.status} {body}")


@contextmanager
def traffic(port: int) -> Iterator[Traffic]:
    """Run the callers inside the context."""
    calling = Traffic(port)
    calling.start()
    try:
        yield calling
    finally:
        calling.stop()


def statuses(outcomes: Iterator[dict[str, Any]]) -> Counter[str]:
    """Count the outcomes by status."""
    return Counter(outcome["status"] for outcome in outcomes)
