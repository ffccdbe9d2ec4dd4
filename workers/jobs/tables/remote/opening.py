"""Opens all input files, local or remote, and detects that they have changed."""

import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO

from tasks.jobs.files.descriptors import open_regular, stamp_of
from tasks.jobs.files.file_refs import local_path
from telemetry.errors import InputChanged, InputUnavailable, InputUnreadable
from workers.jobs.tables.remote.remote import is_transient, open_remote, remote_stamp

_SAMPLE = 65536
"""Bytes at both ends of a file that go into its fingerprint."""


@contextmanager
def opened(uri: str) -> Iterator[IO[bytes]]:
    """Open a local or remote file for reading; raises `InputUnreadable`, also while it is read."""
    with open_input(uri) as file, _converting_errors(uri, OSError):
        yield file


def open_input(uri: str) -> IO[bytes]:
    """Open a file that the caller closes; raises `InputUnreadable`."""
    with _converting_errors(uri):
        return _open(uri)


def fingerprint(uri: str) -> str:
    """Changes with the file: its stamp and, for a local file, a digest of both ends."""
    if local_path(uri) is None:
        return stamp(uri)
    with opened(uri) as file:
        # A file that is rewritten in place, at the same size and within the clock's resolution, has
        # the same stamp. The ends tell most such changes.
        head = file.read(_SAMPLE)
        size = file.seek(0, os.SEEK_END)
        file.seek(max(size - _SAMPLE, 0))
        digest = hashlib.sha256(head + file.read(_SAMPLE)).hexdigest()[:32]
    return f"{stamp(uri)} {digest}"


def stamp(uri: str) -> str:
    """Identifies a file and its state without reading it; see `stamp_of` and `remote_stamp`."""
    with _converting_errors(uri):
        path = local_path(uri)
        if path is not None:
            return stamp_of(path.lstat())
        return remote_stamp(uri)


def unreadable(uri: str, error: Exception) -> InputUnreadable:
    """The error of a failed read; `InputUnavailable` if a later read may succeed."""
    kind = InputUnavailable if local_path(uri) is None and is_transient(error) else InputUnreadable
    reason = getattr(error, "strerror", None) or str(error) or repr(error)
    return kind(f"{uri} cannot be read: {reason}")


class InputWatch:
    """Detects changes of a file since the watch was created."""

    def __init__(self, uri: str) -> None:
        self._uri = uri
        self._stamp = stamp(uri)

    @contextmanager
    def reading(self) -> Iterator[None]:
        """Raise `InputChanged` if the file has changed during the body, also if that raised."""
        try:
            with _converting_errors(self._uri, OSError):
                yield
        finally:
            self.refuse_change()

    def refuse_change(self) -> None:
        """Raise `InputChanged` if the file has changed."""
        if stamp(self._uri) != self._stamp:
            raise InputChanged(f"{self._uri} has changed since the job was accepted")


def _open(uri: str) -> IO[bytes]:
    path = local_path(uri)
    return open_remote(uri) if path is None else open_regular(path)


@contextmanager
def _converting_errors(uri: str, kind: type[Exception] = Exception) -> Iterator[None]:
    """Convert exceptions to `InputUnreadable`; remote file systems may raise any type."""
    try:
        yield
    except kind as error:
        raise unreadable(uri, error) from error
