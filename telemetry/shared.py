"""Keeps the counters that the API's processes share where a full disk cannot end one of them."""

import os
from contextlib import suppress
from pathlib import Path

DIRECTORY = "PROMETHEUS_MULTIPROC_DIR"
"""Names where they lie: a file of each kind for each process."""
METRIC_KINDS = ("counter", "histogram")
FILE_BYTES = 2**18
"""Bytes of a kind: for each route and answer that there are."""


def take_room() -> None:
    """Take this process's room on the disk, before prometheus_client is imported.

    That maps files with holes into memory, and to write where a full disk has no room for a hole
    ends a process (SIGBUS). One that is born when the disk is full counts for itself alone.
    """
    if DIRECTORY not in os.environ:
        return
    files = [Path(os.environ[DIRECTORY], f"{kind}_{os.getpid()}.db") for kind in METRIC_KINDS]
    try:
        for path in files:
            with path.open("ab") as file:
                os.posix_fallocate(file.fileno(), 0, FILE_BYTES)
    except OSError:
        del os.environ[DIRECTORY]
        for path in files:
            with suppress(OSError):
                path.unlink()
