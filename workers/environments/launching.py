"""Starts a fork server in the environment of a version, which is made first if it is absent.

`python -m workers.environments.launching MODEL:VERSION FD QUEUE NEVER…` becomes
`workers.pool.fork_server FD QUEUE NEVER…` in that environment. The worker may send commands at
once, since they wait in the socket. The process ends if the environment cannot be made, and if the
worker hangs up meanwhile.
"""

import logging
import os
import select
import signal
import sys
import threading
from contextlib import suppress
from pathlib import Path

from registry.manifest import Manifest
from registry.store import Registry
from tasks.settings import Settings
from telemetry.errors import PredictqError
from telemetry.logs import configure, of_version
from workers.environments.environment import MadeEnvironment, note_failure
from workers.environments.making import provided

log = logging.getLogger(__name__)


def main() -> None:
    """Make the environment, and go on as its fork server."""
    # As the fork server: the worker handles these.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    configure("worker")
    reference, *arguments = sys.argv[1:]
    descriptor = int(arguments[0])
    _end_with_worker(descriptor)
    registry = Registry(Settings.from_environment().home)
    try:
        python = str(_made(registry, registry.resolve(reference).manifest).python)
    except (PredictqError, OSError) as error:
        log.error("an environment cannot be made: %s", error, extra=of_version(reference))
        sys.exit(os.EX_UNAVAILABLE)
    os.set_inheritable(descriptor, True)
    # -P: modules of the current directory must not hide those of the environment.
    program = [python, "-P", "-m", "workers.pool.fork_server"]
    os.execv(python, [*program, *arguments])  # noqa: S606 - no shell


def _end_with_worker(descriptor: int) -> None:
    """End this process when the worker hangs up; uv and half an environment go with it."""

    def watch() -> None:
        poll = select.poll()
        poll.register(descriptor, select.POLLRDHUP)
        poll.poll()
        signal.pthread_kill(main_thread, signal.SIGUSR1)

    main_thread = threading.get_ident()
    signal.signal(signal.SIGUSR1, lambda *_: sys.exit(os.EX_UNAVAILABLE))
    threading.Thread(target=watch, name="watching the worker", daemon=True).start()


def _made(registry: Registry, manifest: Manifest) -> MadeEnvironment:
    """The environment of a version. If it cannot be made, keep why: its predictions say so."""
    try:
        made = provided(registry.home, registry.lock(manifest))
    except (PredictqError, OSError) as error:
        _note(registry.home, manifest, str(error))
        raise
    _note(registry.home, manifest, "")
    return made


def _note(home: Path, manifest: Manifest, reason: str) -> None:
    if manifest.environment:
        with suppress(OSError):  # the disk may be full; the log has the reason too
            note_failure(home, manifest.environment.lock, reason)


if __name__ == "__main__":
    main()
