"""Sends a file, whole or the range that is asked for, as RFC 9110 has it."""

import errno
import os
import re
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import IO, Any

from flask import Response, request, send_file
from werkzeug.exceptions import PreconditionFailed

from api.asgi.protocol import SEND_BYTES
from tasks.jobs.files.descriptors import open_regular
from tasks.jobs.files.fingerprints import stamp_of
from telemetry.errors import ResultGone

CONTROL = re.compile(r"[\x00-\x1f\x7f]")
NOT_OURS = {
    *(errno.ENOENT, errno.ENOTDIR, errno.EISDIR, errno.ELOOP, errno.EACCES),
    *(errno.EINVAL, errno.ENXIO),
}
"""What the system says where something else lies."""


def open_file(path: Path) -> IO[bytes]:
    """Open what was written once; raises `ResultGone` where no such file is there any more."""
    try:
        return open_regular(path)
    except OSError as error:
        if error.errno not in NOT_OURS:
            raise
        raise ResultGone(f"{path.name} is not there any more") from error


def download(file: IO[bytes], name: str, type_: str) -> Response:
    """The file under this name; the response does not outlive it.

    Raises `PreconditionFailed` and `RequestedRangeNotSatisfiable`.
    """
    status = os.fstat(file.fileno())
    tag, size = stamp_of(status).replace(" ", "-"), status.st_size
    if request.if_match and tag not in request.if_match:
        raise PreconditionFailed("the file is not the one that If-Match names")
    plain = CONTROL.sub("_", name)  # no header may hold these
    response = send_file(file, type_, True, plain, conditional=False, max_age=0)
    response.direct_passthrough = False  # with it, werkzeug never closes the response
    response.content_length, response.last_modified = size, status.st_mtime  # type: ignore[assignment]  # werkzeug takes seconds, too
    response.set_etag(tag)
    response.make_conditional(_conditions(size), accept_ranges=True, complete_length=size)
    return response


def _conditions(size: int) -> dict[str, Any]:
    """The request without what was looked at, and without a `Range` that is to be ignored."""
    left_out = {"HTTP_IF_MATCH"} if _asks_for_one_range(size) else {"HTTP_IF_MATCH", "HTTP_RANGE"}
    return {name: value for name, value in request.environ.items() if name not in left_out}


def _asks_for_one_range(size: int) -> bool:
    """Whether a single range of bytes is asked for; more of the end than there is, is all."""
    asked = request.range
    if asked is None or asked.units != "bytes" or len(asked.ranges) != 1:
        return False
    return asked.ranges[0][0] >= -size


def pieces(paths: Sequence[Path]) -> Iterator[bytes]:
    """The content of these files, one behind the other."""
    for path in paths:
        with path.open("rb") as file:
            yield from iter(partial(file.read, SEND_BYTES), b"")
