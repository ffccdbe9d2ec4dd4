"""Receives an upload: its file is streamed to disk and never held in memory."""

import os
import re
from collections.abc import Callable
from contextlib import suppress
from hashlib import blake2b
from typing import IO, cast

import msgspec
from flask import Request
from werkzeug.datastructures import MultiDict

from api.http.forms import invalid_field, parse_form
from registry.storage.files import sync_directory
from tasks.jobs.files.disk_reserve import Watched, open_with_reserve
from tasks.jobs.files.file_refs import JobDirectory

FILE_PART = "file"
"""Name of the form part that holds the input."""
_suffixes = re.compile(r"(\.[A-Za-z0-9]{1,10}){1,2}\Z")


class Upload:
    """A parsed form; its file is in the job's directory."""

    def __init__(
        self, request: Request, directory: JobDirectory, spare: int, check: Callable[[], object]
    ) -> None:
        """Read the whole form.

        ``spare``: bytes of the disk reserve that must stay free. ``check`` runs as the file grows,
        and raises if it may not. Raises `Malformed`, `Invalid`, `TooLarge` or `OSError`.
        """
        self._directory, self._spare, self._check = directory, spare, check
        self._file: IO[bytes] | None = None
        self._digest = blake2b(digest_size=16)
        try:
            self.form = self._parse(request)
        finally:
            self._close()

    @property
    def uri(self) -> str:
        """Path of the stored file; raises `Invalid` if the form had none."""
        if self._file is None:
            raise invalid_field(FILE_PART, f"the form has no part {FILE_PART!r} with a file name")
        return self._file.name

    @property
    def fingerprint(self) -> bytes:
        """Hash of the fields, the file's suffix and its content, for idempotency."""
        fields = self._digest.copy()
        fields.update(msgspec.json.encode([self.uri.rpartition("/")[2], [*self.form.lists()]]))
        return fields.digest()

    def _parse(self, request: Request) -> MultiDict[str, str]:
        form, files = parse_form(request, self._opened)
        if unknown := files.keys() - {FILE_PART}:
            raise invalid_field(
                min(unknown), f"the file of an upload is {FILE_PART!r}, not {min(unknown)!r}"
            )
        self._sync()
        return form

    def _sync(self) -> None:
        """Flush file and directories to disk: an accepted job survives a power loss."""
        if self._file:
            self._file.flush()
            os.fsync(self._file.fileno())
            for directory in (self._directory.path, *self._directory.path.parents[:2]):
                sync_directory(directory)

    def _close(self) -> None:
        # A complete file was synced already; after a failure, close would only raise it again.
        with suppress(OSError):
            if self._file:
                self._file.close()

    def _opened(self, file_name: str) -> IO[bytes]:
        if self._file is not None:
            raise invalid_field(FILE_PART, "an upload has one file")
        found = _suffixes.search(file_name)
        path = self._directory.input
        # Workers recognise the format by the suffix.
        path = path.with_name(path.name + (found[0] if found else ""))
        self._file = open_with_reserve(path, "wb", self._spare)
        return cast("IO[bytes]", Watched(self._file, self._check, self._digest))
