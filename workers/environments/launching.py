"""Starts a fork server in the environment of a version, which is made first if it is absent.

`python -m workers.environments.launching MODEL:VERSION FD QUEUE NEVER…` becomes
`workers.pool.fork_server FD QUEUE NEVER…` in that environment. The worker may send commands at
once, since they wait in the socket. If the environment cannot be made, the process ends.
"""

import logging
import os
import signal
import sys

from registry.store import Registry
from tasks.settings import Settings
from telemetry.errors import PredictqError
from telemetry.logs import configure, of_version
from workers.environments.making import provided

log = logging.getLogger(__name__)


def main() -> None:
    """Make the environment, and go on as its fork server."""
    # As the fork server: the worker handles these.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    configure("worker")
    reference, *arguments = sys.argv[1:]
    settings = Settings.from_environment()
    registry = Registry(settings.home)
    try:
        lock = registry.lock(registry.resolve(reference).manifest)
        python = str(provided(settings.home, lock).python)
    except (PredictqError, OSError) as error:
        log.error("an environment cannot be made: %s", error, extra=of_version(reference))
        sys.exit(os.EX_UNAVAILABLE)
    descriptor = int(arguments[0])
    os.set_inheritable(descriptor, True)
    os.execv(python, [python, "-m", "workers.pool.fork_server", *arguments])  # noqa: S606 - no shell


if __name__ == "__main__":
    main()
