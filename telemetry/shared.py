"""Reserves disk space for the metric files of API processes, so that a full disk kills none."""

import os
from contextlib import suppress
from pathlib import Path

DIRECTORY = "PROMETHEUS_MULTIPROC_DIR"
"""Environment variable with the directory of these files: one per process and metric kind."""
METRIC_KINDS = ("counter", "histogram")
FILE_BYTES = 2**18
"""Bytes of each file, enough for all routes and statuses."""


def reserve_space() -> None:
    """Reserve this process's disk space, before prometheus_client is imported.

    prometheus_client maps sparse files into memory. Writing to a hole on a full disk would kill
    the process (SIGBUS). A process that starts on a full disk keeps its metrics to itself.
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
