"""The fork server: loads the models and forks the pool processes, which share one copy in memory.

`python -m workers.pool.fork_server FD QUEUE NEVER…`: FD is a socket to the worker, QUEUE the queue
that the worker serves, and NEVER lists versions whose loading ended an earlier fork server.
It loads models but never predicts: a library that has started threads cannot be forked safely.
Loading compares kernels with scikit-learn's methods, which start none.
"""

import contextlib
import gc
import importlib
import logging
import os
import signal
import socket
import sys
import time
from collections.abc import Iterator
from itertools import islice
from typing import Any, NoReturn

import psutil
from msgspec import UNSET

from registry.deployments.deployment import environment_of
from registry.manifest import Manifest
from registry.store import Registry
from tasks.jobs.messages import BULK
from tasks.messages import PREDICT_QUEUE
from tasks.settings import Settings
from telemetry.errors import PredictqError
from telemetry.logs import configure, of_version
from workers.environments.environment import runs_in_environment_of
from workers.memory_limit import bound_growth, give_back_memory, share_of_one
from workers.models.cache import models_budget
from workers.models.current import current
from workers.models.engine import SklearnEngine
from workers.models.golden_engine import GoldenCheckedEngine
from workers.models.process_state.orphans import Orphans, adopt_orphans
from workers.models.resolving import resolve_pinned
from workers.pool import child as process
from workers.pool.golden_check import check_in_child
from workers.pool.priority import lower_priority
from workers.protocol import (
    Ended,
    Fork,
    FromForkServer,
    Loaded,
    Loading,
    LoadVersion,
    Unloaded,
    UnloadVersion,
    datagram,
    parse_frame,
)
from workers.short_imports import shorten_imports

log = logging.getLogger(__name__)
MAX_COMMAND_BYTES = 2**16
"""Largest command in bytes."""
MAX_PRELOADED = 32
"""Most versions that are loaded before the worker takes messages."""
USUAL_THRESHOLDS = gc.get_threshold()
LOADING_THRESHOLD = 100_000
"""Objects made between two collections while libraries and models are loaded. These stay, and
looking through them every 700 objects is a tenth of a start."""

FORK_PAUSE = 1.0
"""Seconds until the worker hears that a process could not be forked, for lack of memory."""


class ForkServer:
    """Serves one worker until the worker hangs up."""

    def __init__(
        self,
        control: socket.socket,
        never: frozenset[str],
        settings: Settings,
        growth: int | None = None,
        queue: str = PREDICT_QUEUE,
    ) -> None:
        """``never``: versions that must not be loaded. ``queue``: that of the worker.

        ``growth``: bytes by which a pool process may grow, see `workers.memory_limit.bound_growth`.
        Without a ``growth`` the memory of pool processes is not bounded.
        """
        self._control = control
        self._growth, self._queue = growth, queue
        self._never = never
        self._settings = settings
        self._registry = Registry(settings.home)
        self._engine = GoldenCheckedEngine(SklearnEngine(self._registry), self._registry)
        self._pool: set[int] = set()
        """Pids of the pool processes."""
        self._orphans = Orphans()

    def run(self) -> None:
        """Load the current versions, then serve commands until the worker hangs up."""
        for manifest in self._preloaded():
            if manifest.reference not in self._never:
                self._hold(manifest)
        self._orphans.keep_helpers(self._pool)
        signal.signal(signal.SIGCHLD, self._report_ends)
        while (received := socket.recv_fds(self._control, MAX_COMMAND_BYTES, 1))[0]:
            self._obey(parse_frame(received[0]), received[1])
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        # The handler would take the ends that are waited for here.
        with contextlib.suppress(ChildProcessError):
            while self._pool:
                self._pool.discard(os.wait()[0])
        self._orphans.end(self._pool)

    def _preloaded(self) -> Iterator[Manifest]:
        """Current versions, as many as are worth waiting for; the others are loaded when asked."""
        left = models_budget()
        served = filter(runs_in_environment_of, current(self._registry, self._queue))
        for manifest in islice(served, MAX_PRELOADED):
            if manifest.size <= left:  # a large one leaves room for those that follow
                left -= manifest.size
                yield manifest

    def _obey(self, command: Any, descriptors: list[int]) -> None:
        match command:
            case Fork():
                if left := self._orphans.end(self._pool):
                    log.warning("ended %d processes that a model started and left behind", left)
                self._fork(socket.socket(fileno=descriptors[0]))
            case LoadVersion(reference):
                self._tell(Loaded(reference, self._load(reference)))
                self._orphans.keep_helpers(self._pool)
            case UnloadVersion(reference):
                self._tell(Unloaded(reference, self._unload(reference)))

    def _load(self, reference: str) -> str | None:
        try:
            return self._hold(resolve_pinned(self._registry, reference).manifest)
        except PredictqError as error:  # removed meanwhile, or the registry is away
            return error.message

    def _hold(self, manifest: Manifest) -> str | None:
        """Load a version; returns the error message if that fails, else None."""
        self._tell(Loading(manifest.reference))
        try:
            self._engine.hold(manifest)
            fault = check_in_child(self._engine, manifest)
        except PredictqError as error:
            fault = error.message
        if fault:
            self._engine.drop(manifest.reference)
            log.warning(
                "a version could not be loaded: %s", fault, extra=of_version(manifest.reference)
            )
        self._tell(Loading(None))
        return fault

    def _unload(self, reference: str) -> bool:
        """Forget a version, and give its memory back; whether it was held."""
        was_held = self._engine.drop(reference)
        if was_held:
            # What was there at the last fork is frozen: cycles in it would never be collected.
            gc.unfreeze()
            gc.collect()
            give_back_memory()
        return was_held

    def _fork(self, connection: socket.socket) -> None:
        if psutil.Process().num_threads() > 1:
            log.warning(
                "a model started threads while it was loaded; processes forked now may hang"
            )
        # First, as what is garbage now would stay in memory once it is frozen.
        gc.collect()
        # Without this the child's first collection would write to every object, and so copy the
        # memory pages that it shares with us.
        gc.freeze()
        try:
            if (pid := os.fork()) == 0:
                self._run_child(connection)
            self._pool.add(pid)
        except OSError as error:
            log.error("no process can be forked now: %s", error)
            time.sleep(FORK_PAUSE)  # the worker asks again as soon as the connection is closed
        # Open here as well, it would not be closed by the end of the process, and the worker would
        # not hear of that.
        connection.close()

    def _run_child(self, connection: socket.socket) -> NoReturn:
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        gc.set_threshold(*USUAL_THRESHOLDS)
        # Else the worker would hear of the fork server's end only after that of its last process.
        self._control.close()
        if self._growth:
            bound_growth(self._growth)
        try:
            process.serve(
                connection, self._engine, self._settings, environment_of(self._queue) or UNSET
            )
        except BrokenPipeError:
            pass  # the worker is gone
        except BaseException:
            log.exception("a process of the pool failed")
            os._exit(1)
        # Not `sys.exit`: exit handlers and buffered output are copies of the fork server's.
        os._exit(0)

    def _report_ends(self, *_: Any) -> None:
        for pid, status in _ended():
            if pid in self._pool:
                self._pool.remove(pid)
                self._tell(Ended(pid, status))

    def _tell(self, frame: FromForkServer) -> None:
        # Each frame is one message of the socket, so the handler of SIGCHLD may send at any moment.
        with contextlib.suppress(OSError):  # the worker is gone
            self._control.send(datagram(frame))


def _ended() -> Iterator[tuple[int, int]]:
    # One signal may stand for several ends: Linux merges those that are pending.
    while True:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return
        if not pid:
            return
        yield pid, os.waitstatus_to_exitcode(status)


def main() -> None:
    """Serve the worker over the socket that it passed on."""
    # A terminal signals the whole process group. The worker handles these, and hangs up when the
    # fork server should end.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    # Libraries find no GPU: its context would not survive the fork (decision 0060).
    os.environ["CUDA_VISIBLE_DEVICES"] = "-1"
    adopt_orphans()
    gc.set_threshold(LOADING_THRESHOLD)
    shorten_imports()
    configure("worker")
    descriptor, queue, *never = sys.argv[1:]
    settings = Settings.from_environment()
    growth = settings.prediction_memory or share_of_one()
    if queue == BULK:
        if settings.batch_priority == "low":
            lower_priority()
        growth = settings.job_memory or share_of_one()
        importlib.import_module("workers.jobs.performing")  # before forking, once for all
    control = socket.socket(fileno=int(descriptor))
    ForkServer(control, frozenset(never), settings, growth, queue).run()


if __name__ == "__main__":
    main()
