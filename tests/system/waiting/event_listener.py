"""A client of `GET /events`, which reads in a thread of its own."""

import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

from tests.support.stack import TEST_TIMEOUT, Json


class Heard(NamedTuple):
    """One event; of one without a kind, only the id counts."""

    id: str
    kind: str
    data: Json


class EventListener:
    """Reads the answer until it ends, or until it is told to leave."""

    def __init__(self, port: int, key: str, after: str | None = None) -> None:
        self.heard: list[Heard] = []
        self.head, self._text = b"", b""
        self._socket = socket.create_connection(("127.0.0.1", port), TEST_TIMEOUT)
        lines = ["GET /events HTTP/1.1", "Host: 127.0.0.1", f"Authorization: Bearer {key}"]
        lines += [f"Last-Event-ID: {after}"] if after else []
        self._socket.sendall("\r\n".join([*lines, "\r\n"]).encode())
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    @property
    def ids(self) -> list[str]:
        """Ids of the predictions whose outcomes were heard of."""
        return [each.data["id"] for each in self.heard if each.kind == "outcome"]

    @property
    def has_ended(self) -> bool:
        return not self._thread.is_alive()

    def leave(self) -> str:
        """Close the connection; returns the id from which to continue."""
        self._socket.shutdown(socket.SHUT_RDWR)
        self._thread.join()
        self._socket.close()
        return self.heard[-1].id

    def _read(self) -> None:
        while piece := self._piece():
            self._text += piece
            self._take()

    def _piece(self) -> bytes:
        try:
            return self._socket.recv(65536)
        except OSError:
            return b""

    def _take(self) -> None:
        if not self.head:
            self.head, _, self._text = self._text.partition(b"\r\n\r\n")
        # Chunks are passed over: no line of an event looks like the length of one.
        while b"\n\n" in self._text:
            event, _, self._text = self._text.partition(b"\n\n")
            fields = dict(line.split(b": ", 1) for line in event.splitlines() if b": " in line)
            if b"id" in fields:
                self.heard.append(
                    Heard(
                        fields[b"id"].decode(),
                        fields.get(b"event", b"").decode(),
                        json.loads(fields.get(b"data", b"{}")),
                    )
                )


@contextmanager
def listening(port: int, key: str, after: str | None = None) -> Iterator[EventListener]:
    listener = EventListener(port, key, after)
    try:
        yield listener
    finally:
        listener.leave()
