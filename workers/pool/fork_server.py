"""Holds the models and forks the pool's processes, which so share one copy in memory.

`python -m workers.pool.fork_server FD LANE NEVER…`, where FD is a socket to the worker, LANE the
queue that it serves, and NEVER are versions that ended another fork server when they were loaded.
It loads but never predicts: a library that has started threads cannot be forked safely.
"""

import contextlib
import gc
import importlib
import logging
import os
import signal
import socket
import sys
from collections.abc import Iterator
from itertools import islice
from typing import Any, NoReturn

import psutil

from registry.manifest import Manifest
from registry.store import Registry
from tasks.jobs.messages import BULK
from tasks.settings import Settings
from telemetry.errors import PredictqError
from telemetry.logs import configure, of_version
from workers.models.cache import CAPACITY
from workers.models.current import current
from workers.models.engine import Engine, SklearnEngine
from workers.models.resolving import resolve_pinned
from workers.pool import child as process
from workers.pool.memory import bound, share_of_one
from workers.pool.priority import give_way
from workers.pool.protocol import Ended, Fork, Load, Loaded, Loading, datagram, parse

log = logging.getLogger(__name__)
MAX_COMMAND_BYTES = 2**16
"""Bytes of a command."""


class ForkServer:
    """Serves one worker until that hangs up."""

    def __init__(
        self,
        control: socket.socket,
        never: frozenset[str],
        settings: Settings,
        growth: int | None = None,
    ) -> None:
        """``growth``: bytes by which each process may grow, where that is bounded."""
        self._control = control
        self._growth = growth
        self._never = never
        self._settings = settings
        self._registry = Registry(settings.home)
        self._engine: Engine = SklearnEngine(self._registry)

    def run(self) -> None:
        """Load what is current, then obey."""
        for manifest in islice(current(self._registry), CAPACITY):
            if manifest.reference not in self._never:
                self._hold(manifest)
        signal.signal(signal.SIGCHLD, self._report_ends)
        while (received := socket.recv_fds(self._control, MAX_COMMAND_BYTES, 1))[0]:
            self._obey(parse(received[0]), received[1])
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        with contextlib.suppress(ChildProcessError):  # until all have finished what they do
            while os.wait():
                pass

    def _obey(self, command: Any, descriptors: list[int]) -> None:
        match command:
            case Fork():
                self._fork(socket.socket(fileno=descriptors[0]))
            case Load(reference):
                self._tell(Loaded(reference, self._load(reference)))

    def _load(self, reference: str) -> str | None:
        try:
            return self._hold(resolve_pinned(self._registry, reference).manifest)
        except PredictqError as error:  # removed meanwhile, or the registry is away
            return error.message

    def _hold(self, manifest: Manifest) -> str | None:
        """Load a version; gives why it cannot be, if so. Its predictions will fail with that."""
        reference, fault = manifest.reference, None
        self._tell(Loading(reference))
        try:
            self._engine.hold(manifest)
        except PredictqError as error:
            fault = error.message
            fields = {**of_version(reference), "code": error.code}
            log.warning("a version is not held: %s", fault, extra=fields)
        self._tell(Loading(None))
        return fault

    def _fork(self, connection: socket.socket) -> None:
        if psutil.Process().num_threads() > 1:
            log.warning("a model has started threads when it was loaded; what is forked may hang")
        gc.collect()
        gc.freeze()  # else the first collection would touch, and so copy, every object
        if os.fork() == 0:
            self._be_born(connection)
        connection.close()

    def _be_born(self, connection: socket.socket) -> NoReturn:
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        self._control.close()
        if self._growth:
            bound(self._growth)
        try:
            process.serve(connection, self._engine, self._settings)
        except BrokenPipeError:
            pass  # the worker is gone
        except BaseException:
            log.exception("a process of the pool failed")
            os._exit(1)
        os._exit(0)

    def _report_ends(self, *_: Any) -> None:
        for pid, status in _ended():
            self._tell(Ended(pid, status))

    def _tell(self, frame: Ended | Loading | Loaded) -> None:
        with contextlib.suppress(OSError):  # once the worker is gone, nobody needs to know
            self._control.send(datagram(frame))


def _ended() -> Iterator[tuple[int, int]]:
    while True:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return
        if not pid:
            return
        yield pid, os.waitstatus_to_exitcode(status)


def main() -> None:
    """Serve the socket that the worker left open for us."""
    # These are for the worker, which hangs up when we are to end.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    configure("worker")
    descriptor, lane, *never = sys.argv[1:]
    settings, growth = Settings.from_environment(), None
    if lane == BULK:
        if settings.batch_priority == "low":
            give_way()
        growth = settings.job_memory or share_of_one()
        importlib.import_module("workers.jobs.performing")  # once, for all processes
    control = socket.socket(fileno=int(descriptor))
    ForkServer(control, frozenset(never), settings, growth).run()


if __name__ == "__main__":
    main()
