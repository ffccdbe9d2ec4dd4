"""The pool: processes forked from one that holds the models, each computing a batch at a time."""

import logging
import os
import select
import time
from collections.abc import Callable
from typing import Any

from celery.concurrency.base import BasePool
from celery.worker import state

from telemetry.logs import of_version
from workers.microbatch.load_retry import LoadRetry
from workers.pool.fork_server_client import STOP_GRACE, ForkServerClient
from workers.pool.pool_process import PoolProcess
from workers.pool.protocol import Ended, Loaded, Loading

log = logging.getLogger(__name__)


class Pool(BasePool):  # type: ignore[misc]  # Celery has no types
    """Celery's pool port. The worker itself never loads a model: the fork server does."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._members: list[PoolProcess] = []
        self._hub: Any = None
        self._loads = 0
        self._faults = LoadRetry()
        self._hanging: set[str] = set()
        self.on_birth: Callable[[], object] = lambda: None
        """Called when there is a process more."""
        self.on_idle: Callable[[], object] = lambda: None
        """Called when there may be a process free that was not before."""
        self.on_hang: Callable[[str], object] = lambda _: None
        """Called with a version whose loading took longer than anything may."""

    def on_start(self) -> None:
        """Start the fork server, and ask it for the processes."""
        self._forker = ForkServerClient(self._lane())
        for _ in range(self.limit):
            self._fork()

    def register_with_event_loop(self, loop: Any) -> None:
        """Listen to all processes; Celery calls this again after each loss of the broker."""
        self._hub = loop
        loop.add_reader(self._forker.fileno(), self._hear_forker)
        for member in self._members:
            loop.add_reader(member.fileno(), self._hear, member)

    def on_apply(self, *_: Any, **__: Any) -> None:
        """Refuse Celery's own tasks, which some producer may have sent here."""
        raise NotImplementedError("this pool computes predictions only")

    def on_stop(self) -> None:
        """Hang up: each process ends after its batch, and the fork server after them."""
        for member in self._members:
            member.hang_up()
        self._forker.close()

    def on_terminate(self) -> None:
        """End every process at once."""
        for member in self._members:
            member.kill()
        self.on_stop()

    def terminate_job(self, pid: int, signal: int | None = None) -> None:
        """End the process of a running task; what it computed with others is computed again."""
        for member in self._members:
            if member.pid == pid:
                member.kill()  # whatever signal was asked for: a batch has no way to heed it

    def _get_info(self) -> dict[str, Any]:
        pids = [member.pid for member in self._members if member.pid]
        return {**super()._get_info(), "processes": pids}

    @property
    def is_born(self) -> bool:
        """Whether any process could compute, or does."""
        return any(member.pid for member in self._members)

    @property
    def held(self) -> list[str]:
        """The versions that any process holds, as model:version."""
        return sorted(set().union(*(member.held for member in self._members)))

    @property
    def has_idle(self) -> bool:
        """Whether a process is free."""
        return any(member.idle for member in self._members)

    def can_serve(self, reference: str) -> bool:
        """Whether there is a process for this version, free or not; else it is being loaded."""
        anyone = not reference or self._faults.has(reference)  # any can say what is wrong
        return anyone or any(reference in member.held for member in self._members)

    def idle(self, reference: str) -> PoolProcess | None:
        """A free process that holds this version; what none holds is loaded first."""
        free = [member for member in self._members if member.idle]
        if not reference or self._faults.has(reference):
            return next(iter(free), None)
        if not self.can_serve(reference) and self._shows_what_is_loaded():
            self._forker.load(reference)
        return next((member for member in free if reference in member.held), None)

    def end_overdue(self) -> None:
        """End what should have ended by itself, but is frozen: processes, or a load."""
        self._forker.end_overdue()
        for member in self._members:
            member.end_overdue(STOP_GRACE)

    def drain(self, patience: float) -> bool:
        """Wait until nothing is computed any more, hearing what comes back; whether that is so."""
        end = time.monotonic() + patience
        while busy := [member for member in self._members if member.busy]:
            readable, _, _ = select.select(busy, [], [], max(end - time.monotonic(), 0))
            if not readable:
                return False
            for member in readable:
                self._hear(member)
        return True

    def interrupt(self) -> None:
        """End what computes, at once."""
        for member in self._members:
            if member.busy:
                member.kill()

    def _lane(self) -> str:
        """The queue that this worker consumes."""
        return ",".join(self.app.amqp.queues.consume_from)

    def _fork(self) -> None:
        member = PoolProcess(self._forker.fork(), self._loads)
        self._members.append(member)
        if self._hub is not None:
            self._hub.add_reader(member.fileno(), self._hear, member)

    def _hear(self, member: PoolProcess) -> None:
        unborn = not member.pid
        if not member.hear():
            self._replace(member)
        elif unborn:
            self.on_birth()
        self._renew()
        self.on_idle()

    def _replace(self, member: PoolProcess) -> None:
        self._hub.remove(member.fileno())
        self._members.remove(member)
        member.hang_up()
        if self.active:
            self._fork()

    def _renew(self) -> None:
        """Replace a free process that was born before the latest load, one at a time."""
        if all(member.pid for member in self._members):
            stale = (m for m in self._members if m.idle and m.born_after < self._loads)
            if member := next(stale, None):
                self._replace(member)

    def _shows_what_is_loaded(self) -> bool:
        """Whether a process was born after the latest load: what it lacks is not loaded."""
        return any(m.pid and m.born_after == self._loads for m in self._members)

    def _hear_forker(self) -> None:
        match self._forker.hear():
            case Loading():
                return
            case Loaded(reference, None):
                self._loads += 1
                self._faults.forget(reference)
                self._hanging.discard(reference)
            case Loaded(reference):
                self._faults.note(reference)
            case Ended(pid, status):
                level = logging.ERROR if status else logging.INFO
                fields = {"pid": pid, "status": status}
                log.log(level, "a process of the pool ended", extra=fields)
            case None:
                self._start_again()
        self._renew()
        self.on_idle()

    def _start_again(self) -> None:
        """Another fork server, which leaves alone what its predecessor died of.

        A version whose loading hangs would hang in any process: only a fork server tries it, once
        somebody asks for it again.
        """
        hung_on = self._forker.hung_on
        guilty = hung_on or self._forker.at_work_on
        self._hub.remove(self._forker.fileno())
        self._forker.close()
        if guilty is None:  # nobody is to blame: whoever watches over this worker starts another
            log.error("the fork server is gone: this worker ends")
            state.should_stop = os.EX_SOFTWARE
            return
        fields = of_version(guilty)
        log.error("loading a version ended the fork server; it will not be held", extra=fields)
        (self._hanging.add if hung_on else self._faults.note_deadly)(guilty)
        self._forker = ForkServerClient(self._lane(), never=self._faults.deadly | self._hanging)
        self._hub.add_reader(self._forker.fileno(), self._hear_forker)
        if hung_on:
            self.on_hang(hung_on)
