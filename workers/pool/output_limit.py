"""Passes what a model prints in a pool process to the log, up to a limit per microbatch."""

import io
import os
import sys
from contextlib import suppress
from typing import Any

MAX_PRINTED_BYTES = 8 * 2**10
"""Bytes that a microbatch may print."""
STDOUT, STDERR = 1, 2
"""File descriptors."""


class LimitedOutput(io.RawIOBase):
    """Writes up to `MAX_PRINTED_BYTES` bytes to a file descriptor and drops the rest."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor, self._left = descriptor, MAX_PRINTED_BYTES

    def reset(self) -> None:
        """Reset the limit for the next microbatch."""
        self._left = MAX_PRINTED_BYTES

    def writable(self) -> bool:
        """Always true, as `io` requires of a writer."""
        return True

    def write(self, content: bytes) -> int:  # type: ignore[override]  # any buffer
        """Accept all bytes, even those that are dropped, so that the model sees no error."""
        passed = memoryview(content)[: self._left]
        self._left -= len(passed)
        with suppress(OSError):  # a full log disk must not fail a prediction
            os.write(self._descriptor, passed)
        return len(content)


class LimitedStreams:
    """`sys.stdout` and `sys.stderr` of a pool process."""

    def __init__(self) -> None:
        self._install()

    def reset(self) -> None:
        """Reset the limit for the next microbatch; undo what a model did to the streams."""
        streams = {id(sys.stdout), id(sys.stderr)}
        if streams != {id(self._stream)} or self._stream.closed:
            self._install()
        self._output.reset()

    def _install(self) -> None:
        self._output = LimitedOutput(STDERR)
        # Without a buffer between them: what a microbatch prints must not wait until the next one.
        stream: Any = io.TextIOWrapper(
            self._output,
            errors="backslashreplace",
            write_through=True,
        )
        sys.stdout = sys.stderr = self._stream = stream


def limit_printing() -> LimitedStreams:
    """Bound what this process prints from Python; its log is not affected.

    What native code writes to standard output is dropped. Its standard error stays unbounded,
    because the message of a crash appears there.
    """
    with open(os.devnull, "wb") as nowhere:
        os.dup2(nowhere.fileno(), STDOUT)
    return LimitedStreams()
