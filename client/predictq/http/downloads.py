"""Downloads a file, and resumes when the connection breaks."""

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
from predictq.jobs.sources import expanded_path

RESUME_PAUSE = 0.5
PARTIAL = 206


def download(connection: Connection, path: str, target: str | PathLike[str]) -> None:
    """Download to a file, atomically: it is complete or absent.

    It keeps the mode of a file that it replaces. After a broken connection only the rest is
    requested. A server that is away or busy is retried for as long as a call may take. Raises
    `OSError` if the file cannot be written.
    """
    whole = expanded_path("target", target)
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
    """Open the temporary file; errors name the path that the caller gave."""
    try:
        if whole.is_dir():
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
        return growing.open("xb")
    except OSError as error:
        raise OSError(error.errno, error.strerror, str(whole)) from error


def _keep_mode(growing: Path, whole: Path) -> None:
    """Copy the mode of the file that is replaced, before any data is written."""
    with suppress(FileNotFoundError):
        growing.chmod(whole.stat().st_mode & 0o777)


class _Download:
    """The state of one download."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._etag = ""

    def fill(self, connection: Connection, path: str) -> None:
        deadline = connection.deadline()
        while True:
            before = self._file.tell()
            try:
                with connection.stream(path, self._wanted()) as response:
                    return self._take(response)
            except (Unreachable, Unavailable):
                if self._file.tell() > before:
                    deadline = connection.deadline()
                elif not connection.limit(deadline).left():
                    raise
            deadline.clock.sleep(min(RESUME_PAUSE, deadline.left()))

    def _wanted(self) -> dict[str, str]:
        have = self._file.tell()
        rest = {"Range": f"bytes={have}-", "If-Range": self._etag} if have and self._etag else {}
        return {"Accept-Encoding": "identity"} | rest

    def _take(self, response: httpx2.Response) -> None:
        if wire.successful(response).status_code != PARTIAL:
            self._file.seek(0)
            self._file.truncate()
        self._etag = response.headers.get("ETag", "")
        for piece in response.iter_raw():
            self._file.write(piece)
