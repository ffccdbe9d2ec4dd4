"""What a model prints in a process of the pool goes to the log, but only so much of it a batch."""

import io
import os
import sys
from contextlib import suppress

MAX_PRINTED_BYTES = 8 * 2**10
"""Bytes that a batch may print."""
STDOUT, STDERR = 1, 2
"""Descriptors."""


class Printed(io.RawIOBase):
    """Writes to a descriptor, up to `MAX_PRINTED_BYTES` bytes; drops the rest."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor, self._left = descriptor, MAX_PRINTED_BYTES

    def renew(self) -> None:
        """Another batch may print as much again."""
        self._left = MAX_PRINTED_BYTES

    def writable(self) -> bool:
        """It is."""
        return True

    def write(self, content: bytes) -> int:  # type: ignore[override]  # any buffer
        """All is taken, whether or not it is passed on."""
        passed = memoryview(content)[: self._left]
        self._left -= len(passed)
        with suppress(OSError):  # a full disk is no fault of who prints
            os.write(self._descriptor, passed)
        return len(content)


def bound() -> Printed:
    """From now on what this process prints is bounded, but not what it logs.

    What native code writes to standard output is dropped. Its standard error stays as it is: the
    last words of one that dies are there.
    """
    with open(os.devnull, "wb") as nowhere:
        os.dup2(nowhere.fileno(), STDOUT)
    printed = Printed(STDERR)
    sys.stdout = sys.stderr = io.TextIOWrapper(
        io.BufferedWriter(printed), errors="backslashreplace", write_through=True
    )
    return printed
