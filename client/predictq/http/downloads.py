"""Fetches a file, though connections break."""

import errno
import os
import uuid
from contextlib import suppress
from os import PathLike
from pathlib import Path
from typing import IO

import httpx2

from predictq.errors import Unavailable, Unreachable
from predictq.http import wire
from predictq.http.connection import Connection
from predictq.jobs.sources import local

PAUSE = 0.5
PARTIAL = 206


def download(connection: Connection, path: str, target: str | PathLike[str]) -> None:
    """Write the answer to a file, which is there whole or not at all.

    It has the mode of what it replaces. Where the connection breaks, only the rest is asked for
    again. A server that goes away, or has no place for one more, is waited for as long as a call
    may take. Raises `OSError` where the file cannot be written.
    """
    whole = local("target", target)
    growing = whole.parent / f".{uuid.uuid4().hex}"
    file = _begun(growing, whole)
    try:
        with file:
            _keep_mode(growing, whole)
            _Download(file).fill(connection, path)
        growing.replace(whole)
    finally:
        growing.unlink(missing_ok=True)


def _begun(growing: Path, whole: Path) -> IO[bytes]:
    """Open the file that grows; what is wrong is told of the place that the caller named."""
    try:
        if whole.is_dir():
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
        return growing.open("xb")
    except OSError as error:
        raise OSError(error.errno, error.strerror, str(whole)) from error


def _keep_mode(growing: Path, whole: Path) -> None:
    """Let those read what replaces a file who could read that, before there is anything to read."""
    with suppress(FileNotFoundError):
        growing.chmod(whole.stat().st_mode & 0o777)


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
                elif not connection.limit(patience).left():
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
