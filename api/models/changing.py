"""Shared by all routes that change the registry: the cause, and failures of the disk."""

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

import msgspec

from registry.history import Cause
from telemetry.errors import DiskFull, Forbidden, VersionNotFound

ShortText = Annotated[str, msgspec.Meta(max_length=500)]
WITH_KEY = "a caller with the local key"
"""The author of a change whose request names none."""
_READ_ONLY = (errno.EROFS, errno.EACCES, errno.EPERM)


class ChangeRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Fields of every request for a change, in its body, or in its query if it has no body."""

    by: ShortText = WITH_KEY
    """The author of the change, for the history."""
    why: ShortText = ""

    @property
    def cause(self) -> Cause:
        """The cause in the model's history."""
        return Cause(self.by, self.why)


@contextmanager
def changing() -> Iterator[None]:
    """Raise `Forbidden` or `DiskFull` if this process cannot make a change of the registry."""
    try:
        yield
    except OSError as error:
        if error.errno in _READ_ONLY:
            raise Forbidden(
                f"this API may only read its registry ({error.strerror}): change it with "
                "`predictq models`, where its files can be written"
            ) from error
        if DiskFull.is_told_by(error):
            raise DiskFull(f"the disk has no space for it: {error.strerror}") from error
        raise


def version_number(text: str) -> int:
    """The number of a version in a path; raises `VersionNotFound` for any other text."""
    if text.isascii() and text.isdigit() and len(text) < 10 and text[0] != "0":
        return int(text)
    raise VersionNotFound(f"a version is a number from 1, not {text[:100]!r}")
