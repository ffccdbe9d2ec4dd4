"""Parses multipart forms whose files are streamed to where the caller opens them."""

from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from typing import IO, Any

from flask import Request
from werkzeug.datastructures import FileStorage, MultiDict
from werkzeug.exceptions import RequestEntityTooLarge

from api.http.conversion import Kind, converted
from api.http.form_parts import Form
from tasks.wire import decode
from telemetry.errors import Detail, DiskFull, Invalid, Malformed, TooLarge


def parse_form(
    request: Request, opener: Callable[[str], IO[bytes]]
) -> tuple[MultiDict[str, str], MultiDict[str, FileStorage]]:
    """Read a whole form; returns its fields and files.

    ``opener`` opens what a file is written to, by its name. Raises `Malformed`, `Invalid`,
    `TooLarge`, and what ``opener`` raises.
    """
    form = Form(opener)
    try:
        form.read(request.environ)
    except RequestEntityTooLarge as error:
        raise TooLarge("the form has too many parts, or a part is too long") from error
    except ValueError as error:
        raise Malformed(f"the form cannot be parsed: {error}") from error
    if None in form.fields or None in form.files:  # possible, despite the annotations
        raise invalid_field(None, "a part of the form has no name")
    return form.fields, form.files


def read_form(
    form: MultiDict[str, str],
    kind: type[Kind],
    lists: Collection[str] = (),
    objects: Collection[str] = (),
) -> Kind:
    """Convert form fields, which are all text, to a struct; raises `Invalid`.

    ``lists``: the fields that may be given several times. ``objects``: those that hold JSON.
    """
    given: dict[str, Any] = {}
    for name, values in form.lists():
        if name not in lists and len(values) > 1:
            raise invalid_field(name, f"{name[:100]!r} is given more than once")
        given[name] = values if name in lists else values[0]
        if name in objects:
            given[name] = decode(values[0].encode())
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
        if not DiskFull.is_told_by(error):
            raise
        raise DiskFull(f"the disk has no space for this file: {error.strerror}") from error
