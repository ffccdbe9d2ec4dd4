"""The one way to a file's bytes, here or elsewhere, and how one notices that it has changed."""

import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO

from tasks.jobs.files.descriptors import open_regular
from tasks.jobs.files.file_refs import local_path
from tasks.jobs.files.fingerprints import stamp_of
from telemetry.errors import InputChanged, InputUnavailable, InputUnreadable
from workers.jobs.tables.remote.remote import open_remote, passes, remote_stamp

_SAMPLE = 65536
"""Bytes at both ends of a file that its fingerprint is made of."""


@contextmanager
def opened(uri: str) -> Iterator[IO[bytes]]:
    """Open a file for reading, at any place; raises `InputUnreadable`, also where reading fails."""
    with open_file(uri) as file, _told(uri, OSError):
        yield file


def open_file(uri: str) -> IO[bytes]:
    """The same, for who closes it himself."""
    with _told(uri):
        return _open(uri)


def fingerprint(uri: str) -> str:
    """What changes when the file does: its stamp, and here also a digest of both ends."""
    if local_path(uri) is None:
        return stamp(uri)
    with opened(uri) as file:
        head = file.read(_SAMPLE)
        size = file.seek(0, os.SEEK_END)
        file.seek(max(size - _SAMPLE, 0))
        digest = hashlib.sha256(head + file.read(_SAMPLE)).hexdigest()[:32]
    return f"{stamp(uri)} {digest}"


def stamp(uri: str) -> str:
    """What tells a file from another and from its later self, without reading it."""
    with _told(uri):
        path = local_path(uri)
        if path is not None:
            return stamp_of(path.lstat())
        return remote_stamp(uri)


def unreadable(uri: str, error: Exception) -> InputUnreadable:
    """The error of a failed read; `InputUnavailable` where a later read may succeed."""
    kind = InputUnavailable if local_path(uri) is None and passes(error) else InputUnreadable
    reason = getattr(error, "strerror", None) or str(error) or repr(error)
    return kind(f"{uri} cannot be read: {reason}")


class InputWatch:
    """Notices that a file is no longer what it was when the watch began."""

    def __init__(self, uri: str) -> None:
        self._uri = uri
        self._stamp = stamp(uri)

    @contextmanager
    def reading(self) -> Iterator[None]:
        """Raise `InputChanged` where what was read may be of two files, or failed for it."""
        try:
            with _told(self._uri, OSError):
                yield
        finally:
            self.refuse_change()

    def refuse_change(self) -> None:
        """Raise `InputChanged` where the file is another by now."""
        if stamp(self._uri) != self._stamp:
            raise InputChanged(f"{self._uri} has changed since the job was accepted")


def _open(uri: str) -> IO[bytes]:
    path = local_path(uri)
    return open_remote(uri) if path is None else open_regular(path)


@contextmanager
def _told(uri: str, kind: type[Exception] = Exception) -> Iterator[None]:
    """Turn what is raised into `InputUnreadable`; those who fetch from afar may raise anything."""
    try:
        yield
    except kind as error:
        raise unreadable(uri, error) from error
