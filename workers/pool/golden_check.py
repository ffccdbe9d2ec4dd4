"""Compares golden rows in a process of their own, because the fork server does not predict."""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager

from registry.manifest import Manifest
from tasks.time_limits import MAX_RUN_SECONDS
from telemetry.errors import PredictqError
from workers.models.golden_engine import GoldenCheckedEngine

MAX_MESSAGE_BYTES = 4096


def check_in_child(engine: GoldenCheckedEngine, manifest: Manifest) -> str | None:
    """Compare the golden rows of a held version in a forked process.

    Returns why the version must not serve, and None if its answers are right.
    """
    if engine.golden_rows(manifest) is None:
        engine.trust(manifest)
        return None
    reading, writing = os.pipe()
    with _keeping_end_status():
        pid = os.fork()
        if pid == 0:
            _compare(engine, manifest, writing)
        os.close(writing)  # else reading would not end
        with open(reading, "rb") as pipe:
            fault = pipe.read(MAX_MESSAGE_BYTES).decode(errors="replace")
        status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    if status:
        return fault or f"computing golden rows of {manifest.reference} ended with status {status}"
    engine.trust(manifest)
    return None


def _compare(engine: GoldenCheckedEngine, manifest: Manifest, writing: int) -> None:
    """Run in the child: the exit status says whether the answers are right."""
    status = 1
    try:
        signal.alarm(int(MAX_RUN_SECONDS))  # its default action ends this process
        engine.compare(manifest)
        status = 0
    except PredictqError as error:
        os.write(writing, error.message.encode()[:MAX_MESSAGE_BYTES])
    finally:
        # Whatever was raised: the copy of the fork server must not go on in its caller.
        os._exit(status)


@contextmanager
def _keeping_end_status() -> Iterator[None]:
    """Suspend the handler that collects the end status of every child.

    Blocking SIGCHLD would not do: a library's thread receives it then, and the handler still runs.
    """
    handler = signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    try:
        yield
    finally:
        signal.signal(signal.SIGCHLD, handler)
        if callable(handler):  # pool processes may have ended meanwhile
            handler(signal.SIGCHLD, None)
