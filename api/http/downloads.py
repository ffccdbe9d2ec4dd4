"""Sends a file, or the byte range that is asked for, with the conditions of RFC 9110."""

import errno
import os
import re
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import IO, Any

from flask import Response, request, send_file
from werkzeug.exceptions import PreconditionFailed

from tasks.jobs.files.descriptors import open_regular, stamp_of
from telemetry.errors import ResultGone

SEND_BYTES = 2**18
"""Bytes of an answer that are read or sent at a time."""
CONTROL_CHARACTERS = re.compile(r"[\x00-\x1f\x7f]")
GONE_ERRNOS = {
    *(errno.ENOENT, errno.ENOTDIR, errno.EISDIR, errno.ELOOP, errno.EACCES),
    *(errno.EINVAL, errno.ENXIO),
}
"""Errors of `open` that mean: the file is gone, or something else is at its path."""


def open_output(path: Path) -> IO[bytes]:
    """Open a file that was written earlier; raises `ResultGone` if it is there no longer."""
    try:
        return open_regular(path)
    except OSError as error:
        if error.errno not in GONE_ERRNOS:
            raise
        raise ResultGone(f"{path.name} no longer exists") from error


def download(file: IO[bytes], name: str, type_: str) -> Response:
    """Send a file under this name. The caller keeps ``file`` open until the response is sent.

    Raises `PreconditionFailed` and `RequestedRangeNotSatisfiable`.
    """
    # Of the open file, not of its path: another file may be there by now.
    status = os.fstat(file.fileno())
    tag, size = stamp_of(status).replace(" ", "-"), status.st_size
    if request.if_match and tag not in request.if_match:
        raise PreconditionFailed("the file is not the one that If-Match names")
    plain = CONTROL_CHARACTERS.sub("_", name)  # not allowed in a header
    # Not conditional here: `make_conditional` below does that, with some fields left out.
    # No age: another job may replace the file at any time, so a cache has to ask again.
    response = send_file(file, type_, True, plain, conditional=False, max_age=0)
    response.direct_passthrough = False  # with it, werkzeug never closes the response
    response.content_length, response.last_modified = size, status.st_mtime  # type: ignore[assignment]  # werkzeug takes seconds, too
    response.set_etag(tag)
    response.make_conditional(_conditions(size), accept_ranges=True, complete_length=size)
    return response


def _conditions(size: int) -> dict[str, Any]:
    """The WSGI environ for Werkzeug, without `If-Match` and without an unsupported `Range`.

    `If-Match` was checked already. RFC 9110 lets us ignore several ranges.
    """
    left_out = {"HTTP_IF_MATCH"} if _asks_for_one_range(size) else {"HTTP_IF_MATCH", "HTTP_RANGE"}
    return {name: value for name, value in request.environ.items() if name not in left_out}


def _asks_for_one_range(size: int) -> bool:
    """Whether the request has exactly one byte range, and a suffix no longer than the file."""
    asked = request.range
    if asked is None or asked.units != "bytes" or len(asked.ranges) != 1:
        return False
    return asked.ranges[0][0] >= -size


def file_contents(paths: Sequence[Path]) -> Iterator[bytes]:
    """The content of these files, concatenated."""
    for path in paths:
        with path.open("rb") as file:
            yield from iter(partial(file.read, SEND_BYTES), b"")
