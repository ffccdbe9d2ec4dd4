"""Fetches a file, though connections break."""

import uuid
from os import PathLike
from pathlib import Path
from typing import IO

import httpx2

from predictq import wire
from predictq.connection import Connection
from predictq.errors import Unavailable, Unreachable

PAUSE = 0.5
PARTIAL = 206


def download(connection: Connection, path: str, target: str | PathLike[str]) -> None:
    """Write the answer to a file, which is there whole or not at all.

    Where the connection breaks, only the rest is asked for again. A server that goes away, or has
    no place for one more, is waited for as long as a call may take.
    """
    whole = Path(target).expanduser()
    growing = whole.with_name(f".{whole.name}.{uuid.uuid4().hex}")
    file = growing.open("xb")
    try:
        with file:
            _Download(file).fill(connection, path)
        growing.replace(whole)
    finally:
        growing.unlink(missing_ok=True)


class _Download:
    """A file that grows, though connections break."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._etag = ""

    def fill(self, connection: Connection, path: str) -> None:
        patience = connection.deadline()
        while True:
            before = self._file.tell()
            try:
                with connection.stream(path, self._wanted()) as response:
                    return self._take(response)
            except (Unreachable, Unavailable):
                if self._file.tell() > before:
                    patience = connection.deadline()
                elif not patience.left():
                    raise
            patience.clock.sleep(min(PAUSE, patience.left()))

    def _wanted(self) -> dict[str, str]:
        have = self._file.tell()
        rest = {"Range": f"bytes={have}-", "If-Range": self._etag} if have and self._etag else {}
        return {"Accept-Encoding": "identity"} | rest

    def _take(self, response: httpx2.Response) -> None:
        if wire.good(response).status_code != PARTIAL:
            self._file.seek(0)
            self._file.truncate()
        self._etag = response.headers.get("ETag", "")
        for piece in response.iter_raw():
            self._file.write(piece)
