"""Parses multipart forms whose files are streamed to where the caller opens them."""

import errno
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from typing import IO, Protocol

from flask import Request
from werkzeug.datastructures import FileStorage, MultiDict
from werkzeug.exceptions import RequestEntityTooLarge
from werkzeug.formparser import FormDataParser

from api.http.conversion import Kind, converted
from telemetry.errors import Detail, DiskFull, Invalid, Malformed, TooLarge

MAX_FORM_MEMORY_BYTES = 2**18
"""Bytes of a form held in memory; every part but the files must fit in."""
MAX_FORM_PARTS = 128


class Opener(Protocol):
    """Opens the file that a part of a form is written to."""

    def __call__(
        self,
        total_content_length: int | None,
        content_type: str | None,
        filename: str | None,
        content_length: int | None = None,
    ) -> IO[bytes]:
        """Called for each part that has a file name, with what its head says."""


def parse_form(
    request: Request, opener: Opener
) -> tuple[MultiDict[str, str], MultiDict[str, FileStorage]]:
    """Read a whole form; returns its fields and files.

    Raises `Malformed`, `Invalid`, `TooLarge`, and what ``opener`` raises.
    """
    parser = FormDataParser(
        opener,
        max_form_memory_size=MAX_FORM_MEMORY_BYTES,
        max_form_parts=MAX_FORM_PARTS,
        silent=False,
    )
    try:
        _, form, files = parser.parse_from_environ(request.environ)
    except RequestEntityTooLarge as error:
        raise TooLarge("the form has too many parts, or a part is too long") from error
    except ValueError as error:
        raise Malformed(f"the form cannot be parsed: {error}") from error
    if None in form or None in files:  # possible, despite the annotations
        raise invalid_field(None, "a part of the form has no name")
    return form, files


def read_form(form: MultiDict[str, str], kind: type[Kind], lists: Collection[str] = ()) -> Kind:
    """Convert form fields, which are all text, to a struct; raises `Invalid`.

    ``lists``: the fields that may be given several times.
    """
    given: dict[str, str | list[str]] = {}
    for name, values in form.lists():
        if name not in lists and len(values) > 1:
            raise invalid_field(name, f"{name[:100]!r} is given more than once")
        given[name] = values if name in lists else values[0]
    return converted(given, kind, strict=False)


def invalid_field(name: str | None, why: str) -> Invalid:
    """An `Invalid` error that names a field."""
    return Invalid(why, errors=[Detail((name,) if name else (), why)])


@contextmanager
def convert_disk_full() -> Iterator[None]:
    """Turn the operating system's "disk full" and "quota exceeded" into `DiskFull`."""
    try:
        yield
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        raise DiskFull(f"the disk has no space for this file: {error.strerror}") from error
