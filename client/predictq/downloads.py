"""Reads what a server sends piece by piece: files, and events."""

import json
import os
from collections.abc import Iterable, Iterator
from os import PathLike
from pathlib import Path
from typing import IO, Any

import httpx2

from predictq import wire
from predictq.connection import Connection
from predictq.errors import UnexpectedAnswer, Unreachable

TRIES = 5
"""Times that a download which got nothing further is tried."""
PAUSE = 0.5
PARTIAL = 206


def download(connection: Connection, path: str, target: str | PathLike[str]) -> None:
    """Write the answer to a file, which is there whole or not at all.

    Where the connection breaks, only the rest is asked for again.
    """
    whole = Path(target).expanduser()
    growing = whole.with_name(f".{whole.name}.{os.getpid()}")
    try:
        with growing.open("xb") as file:
            _Download(file).fill(connection, path)
        growing.replace(whole)
    finally:
        growing.unlink(missing_ok=True)


def events(lines: Iterable[str]) -> Iterator[dict[str, Any] | None]:
    """The JSON objects of server-sent events; None for a comment, by which a server lives on."""
    data: list[str] = []
    for line in lines:
        if line.startswith("data:"):
            data.append(line.removeprefix("data:"))
        elif line.startswith(":"):
            yield None
        elif not line and data:
            yield _object("\n".join(data))
            data = []


class _Download:
    """A file that grows, though connections break."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._etag = ""

    def fill(self, connection: Connection, path: str) -> None:
        left = TRIES
        while True:
            before = self._file.tell()
            try:
                with connection.stream(path, **self._wanted()) as response:
                    return self._take(response)
            except Unreachable:
                left = TRIES if self._file.tell() > before else left - 1
                if not left:
                    raise
            connection.deadline().clock.sleep(PAUSE)

    def _wanted(self) -> dict[str, str]:
        have = self._file.tell()
        rest = {"Range": f"bytes={have}-", "If-Range": self._etag} if have and self._etag else {}
        return {"Accept-Encoding": "identity"} | rest

    def _take(self, response: httpx2.Response) -> None:
        if not response.is_success:
            raise wire.problem(response)
        if response.status_code != PARTIAL:
            self._file.seek(0)
            self._file.truncate()
        self._etag = response.headers.get("ETag", "")
        for piece in response.iter_raw():
            self._file.write(piece)


def _object(text: str) -> dict[str, Any]:
    try:
        return dict(json.loads(text))
    except (ValueError, TypeError) as error:
        raise UnexpectedAnswer(f"the event is no JSON object ({error!r})") from error
