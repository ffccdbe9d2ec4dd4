"""The pools of a worker: the shared pool, and one for each environment that versions need.

The pool of an environment has a fork server of its own, which runs in that environment's Python. It
is started by the first message of such a version, and ended when it has had no work for a while or
when another environment needs to run. All pools together compute no more at once than the shared
pool could.
"""

import logging
import time
from collections.abc import Iterator
from functools import partial
from itertools import chain
from typing import Any

from registry.deployments.deployment import model_of
from registry.manifest import Environment
from registry.store import Registry
from telemetry.errors import PredictqError
from telemetry.logs import of_version
from workers.pool.fork_server_client import STOP_GRACE
from workers.pool.listener import Listener
from workers.pool.load_retry import LoadRetry
from workers.pool.pool import Pool
from workers.pool.pool_process import PoolProcess
from workers.protocol import LoadCost

log = logging.getLogger(__name__)
MAX_ENVIRONMENTS = 4
"""Environments whose fork servers may run at once; each costs the memory of its libraries."""
UNUSED_SECONDS = 600.0
"""Seconds without a message after which the pool of an environment ends."""
SPARED_SECONDS = 10.0
"""Seconds without a message after which it may end for another. Less would let five environments
that are asked for at once end each other before any has computed."""


class Pools:
    """The pools of a worker; a version's messages go to the pool of its environment."""

    def __init__(self, load_retry: LoadRetry, registry: Registry) -> None:
        self._load_retry, self._registry = load_retry, registry
        self._started: Pool | None = None
        """The shared pool; None before `start`, as only Celery knows its size and queue."""
        self._others: dict[str, Pool] = {}
        """SHA-256 of an environment's lock → its pool, the least recently used first."""
        self._last_used: dict[str, float] = {}
        """SHA-256 of an environment's lock → when a message last asked for it, in seconds."""
        self._ended: list[Pool] = []
        """Pools whose fork server ended; their processes may still be computing."""
        self._hub: Any = None
        self._is_closed = False
        self._lacked_capacity = False
        """Whether an environment could not start; then `maintain` has the batcher try again."""

    def start(self, size: int, queue: str, listener: Listener) -> None:
        """Start ``size`` processes of a worker on ``queue``, and later as many per environment."""
        self._started = Pool(self._load_retry, size, queue, listener)

    @property
    def size(self) -> int:
        """How many processes may compute at once."""
        return self._shared.size

    def resize(self, size: int) -> None:
        """Let ``size`` processes compute at once; those too many end after their microbatch."""
        for pool in self._serving():
            pool.resize(size)

    def serves(self, reference: str) -> bool:
        """Whether this worker may get predictions of a version: not if it deploys another model."""
        return model_of(self._shared.queue) in (None, reference.partition(":")[0])

    def listen(self, hub: Any) -> None:
        """Listen to all fork servers and processes on an event loop, perhaps a new one."""
        self._hub = hub
        for pool in self._all():
            pool.listen(hub)

    def close(self) -> None:
        """Replace no more processes that end, and start no more pools."""
        self._is_closed = True
        for pool in self._all():
            pool.close()

    def stop(self) -> None:
        """Hang up: each process ends after its microbatch, and the fork servers after all.

        Those that have not ended after `STOP_GRACE` seconds, for all together, are killed.
        """
        end = time.monotonic() + STOP_GRACE
        for pool in self._all():
            pool.hang_up()
        for pool in self._all():
            pool.stop(max(end - time.monotonic(), 0.0))

    def kill(self, pid: int) -> None:
        """Kill one process; the other messages of its microbatch run again."""
        for pool in self._all():
            pool.processes.kill(pid)

    def kill_all(self) -> None:
        """Kill every process, whether it computes or not."""
        for pool in self._all():
            pool.processes.kill_all()

    @property
    def pids(self) -> list[int]:
        """Process ids of all processes that are ready to compute, or computing."""
        return [pid for pool in self._all() for pid in pool.processes.pids]

    @property
    def concurrency(self) -> int:
        """How many processes may compute at once: those that are ready, bounded by the size."""
        return min(len(self.pids), self._shared.size)

    @property
    def memory_bytes(self) -> int:
        """Resident memory of all fork servers and processes; what they share counts in each."""
        return sum(pool.memory_bytes for pool in self._all())

    @property
    def has_ready_process(self) -> bool:
        """Whether any process of the shared pool is ready to compute, or computing."""
        return bool(self._shared.processes.pids)

    @property
    def held(self) -> dict[str, LoadCost]:
        """Versions that any process holds, as model:version, sorted."""
        found = chain.from_iterable(pool.processes.held.items() for pool in self._all())
        return dict(sorted(found))

    @property
    def has_idle(self) -> bool:
        """Whether a process is free, and may compute beside those that do."""
        return self._free > 0 and any(pool.processes.free for pool in self._serving())

    @property
    def has_spare(self) -> bool:
        """Whether a process stays free if one more is taken; also if there is only one at all."""
        return self._shared.has_spare and (self._free > 1 or self._shared.size == 1)

    def can_serve(self, reference: str | None) -> bool:
        """Whether some process, free or busy, can take messages of this version.

        Otherwise the version has to be loaded first, or its environment started.
        """
        needed = self._environment(reference)
        if needed is None:
            return self._shared.can_serve(reference)
        pool = self._others.get(needed.lock)
        return pool.can_serve(reference) if pool else self._load_retry.has(str(reference))

    def idle(self, reference: str | None) -> PoolProcess | None:
        """A free process that holds this version; asks for it to be loaded if none holds it.

        A version whose environment could not be started is given to the shared pool's processes,
        which fail its messages with the reason.
        """
        needed = self._environment(reference)
        pool = self._others.get(needed.lock) if needed else None
        if needed and pool:  # first, as a message that waits for a busy worker needs its pool too
            self._others[needed.lock] = self._others.pop(needed.lock)
            self._last_used[needed.lock] = time.monotonic()
        if self._free <= 0:
            return None
        if needed is None or reference is None:
            return self._shared.idle(reference)
        if pool is None and self._load_retry.has(reference):
            return self._shared.idle(reference)
        if pool is None:
            self._start(needed.lock, reference)
            return None
        return pool.idle(reference)

    def hold(self, reference: str) -> bool:
        """Have a version loaded in the pool of its environment; whether a process holds it."""
        needed = self._environment(reference)
        if needed is None:
            return self._shared.hold(reference)
        if needed.lock not in self._others:
            self._start(needed.lock, reference)
        pool = self._others.get(needed.lock)
        if pool is None:  # no other may end for it now
            return False
        self._last_used[needed.lock] = time.monotonic()
        return pool.hold(reference)

    def unload(self, reference: str) -> bool:
        """Have a version forgotten; whether no process is left that was forked before."""
        needed = self._environment(reference)
        pool = self._others.get(needed.lock) if needed else self._shared
        return pool is None or pool.unload(reference)

    def maintain(self) -> None:
        """Maintain each pool, and end those that are not needed any more; for every few seconds."""
        for pool in self._all():
            pool.maintain()
        if self._is_closed:
            return
        for pool in [pool for pool in self._ended if not pool.processes.busy]:
            self._ended.remove(pool)
            pool.retire()
        for lock in [lock for lock in self._others if self._may_end(lock, UNUSED_SECONDS)]:
            self._retire(lock)
        if self._lacked_capacity:
            self._lacked_capacity = False
            self._shared.listener.on_idle()

    def drain(self, timeout: float) -> bool:
        """Handle results until nothing is being computed; False if ``timeout`` seconds pass."""
        end = time.monotonic() + timeout
        return all(pool.drain(max(end - time.monotonic(), 0.0)) for pool in self._all())

    def interrupt(self) -> None:
        """Kill every process that is computing."""
        for pool in self._all():
            pool.processes.interrupt()

    @property
    def _shared(self) -> Pool:
        assert self._started is not None  # noqa: S101 - Celery starts the pool before consumers
        return self._started

    @property
    def _free(self) -> int:
        """How many more processes may compute now."""
        return self._shared.size - sum(len(pool.processes.busy) for pool in self._all())

    def _all(self) -> Iterator[Pool]:
        yield from self._serving()
        yield from self._ended

    def _serving(self) -> list[Pool]:
        # Without the shared pool if Celery shuts down before it has started one.
        return [*([self._started] if self._started else []), *self._others.values()]

    def _environment(self, reference: str | None) -> Environment | None:
        if reference is None:
            return None
        try:
            return self._registry.resolve(reference).manifest.environment
        except (PredictqError, OSError):  # the process that computes reports it, or retries
            return None

    def _start(self, lock: str, reference: str) -> None:
        """Start the pool of an environment, if one more may run now."""
        if self._is_closed:
            return
        if not self._make_capacity():
            self._lacked_capacity = True
            return
        shared = self._shared
        listener = shared.listener._replace(on_end=partial(self._end, lock, reference))
        pool = Pool(self._load_retry, shared.size, shared.queue, listener, reference)
        self._others[lock] = pool
        self._last_used[lock] = time.monotonic()
        pool.listen(self._hub)

    def _make_capacity(self) -> bool:
        """Whether one more pool may run, if need be because another one ends now."""
        if len(self._others) < MAX_ENVIRONMENTS:
            return True
        endable = (lock for lock in self._others if self._may_end(lock, SPARED_SECONDS))
        unneeded = next(endable, None)
        if unneeded is not None:
            self._retire(unneeded)
        return unneeded is not None

    def _may_end(self, lock: str, seconds: float) -> bool:
        """Whether a pool has started, computes nothing, and was not asked for in ``seconds``."""
        pool, unused = self._others[lock], time.monotonic() - self._last_used[lock]
        return bool(pool.processes.pids) and not pool.processes.busy and unused > seconds

    def _end(self, lock: str, reference: str) -> None:
        """The fork server of an environment ended: it could not be made, or it was killed."""
        log.error("the fork server of an environment ended", extra=of_version(reference))
        pool = self._others.pop(lock)
        self._ended.append(pool)
        del self._last_used[lock]
        if not pool.processes.pids:  # else the next message starts it again at once
            self._load_retry.note(reference, "the fork server of its environment ended")

    def _retire(self, lock: str) -> None:
        del self._last_used[lock]
        self._others.pop(lock).retire()
