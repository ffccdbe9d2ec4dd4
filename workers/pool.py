"""The pool: processes forked from one that holds the models, each computing a batch at a time."""

import logging
import os
import select
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

from celery.concurrency.base import BasePool
from celery.worker import state

from workers.frames import Ended, Fork, Load, Loaded, datagram, parse
from workers.member import STALL, Member

log = logging.getLogger(__name__)
ONE_THREAD = {
    f"{library}_NUM_THREADS": "1" for library in ("OMP", "OPENBLAS", "MKL", "VECLIB_MAXIMUM")
}
"""The pool is the parallelism; and what has threads cannot be forked."""
GRACE = 5.0
"""Seconds for processes without work to end in."""


class Pool(BasePool):  # type: ignore[misc]  # Celery has no types
    """Celery's pool port. The worker itself never loads a model: the fork server does."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._members: list[Member] = []
        self._hub: Any = None
        self._loads = 0
        self._loading: set[str] = set()
        self._unloadable: set[str] = set()
        self.on_birth: Callable[[], object] = lambda: None
        """Called when there is a process more."""
        self.on_idle: Callable[[], object] = lambda: None
        """Called when there may be a process free that was not before."""

    def on_start(self) -> None:
        """Start the fork server, and ask it for the processes."""
        self._control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._control.settimeout(STALL)
        with theirs:
            self._server = subprocess.Popen(
                [sys.executable, "-m", "workers.forkserver", str(theirs.fileno())],
                pass_fds=[theirs.fileno()],
                env={**os.environ, **ONE_THREAD},
            )
        for _ in range(self.limit):
            self._fork()

    def register_with_event_loop(self, loop: Any) -> None:
        """Listen to all processes; Celery calls this again after each loss of the broker."""
        self._hub = loop
        loop.add_reader(self._control.fileno(), self._hear_server)
        for member in self._members:
            self._listen(member)

    def on_stop(self) -> None:
        """Hang up: each process ends after its batch, and the fork server after them."""
        for member in self._members:
            member.hang_up()
        self._control.close()
        try:
            self._server.wait(GRACE)
        except subprocess.TimeoutExpired:
            log.warning("processes of the pool still compute; they end by themselves")

    def on_terminate(self) -> None:
        """End every process at once."""
        for member in self._members:
            member.kill()
        self.on_stop()

    def terminate_job(self, pid: int, signal: int | None = None) -> None:
        """End the process of a running task; what it computed with others is computed again."""
        for member in self._members:
            if member.pid == pid:
                member.kill(signal)

    def on_apply(self, *args: Any, **options: Any) -> None:
        """Refuse tasks other than predictions, such as those that Celery brings along."""
        raise NotImplementedError("this pool computes predictions and nothing else")

    def _get_info(self) -> dict[str, Any]:
        pids = [member.pid for member in self._members if member.pid]
        return {**super()._get_info(), "processes": pids}

    @property
    def is_born(self) -> bool:
        """Whether any process could compute, or does."""
        return any(member.pid for member in self._members)

    @property
    def held(self) -> list[str]:
        """The versions that processes hold in common, as model:version."""
        return sorted(set().union(*(member.held for member in self._members)))

    @property
    def has_idle(self) -> bool:
        """Whether a process is free."""
        return any(member.idle for member in self._members)

    def idle(self, reference: str) -> Member | None:
        """A free process that holds this version; what none holds is loaded first."""
        free = [member for member in self._members if member.idle]
        holding = next((member for member in free if reference in member.held), None)
        if holding or reference in self._unloadable:  # any of them can say why it cannot be
            return holding or next(iter(free), None)
        if not any(reference in member.held or not member.pid for member in self._members):
            self._load(reference)  # nor will one that is about to be born hold it
        return None

    def drain(self, patience: float) -> None:
        """Wait until nothing is computed any more, hearing what comes back."""
        end = time.monotonic() + patience
        while busy := [member for member in self._members if member.busy]:
            readable, _, _ = select.select(busy, [], [], max(end - time.monotonic(), 0))
            if not readable:
                return
            for member in readable:
                self._hear(member)

    def _load(self, reference: str) -> None:
        if reference not in self._loading:
            self._loading.add(reference)
            self._control.send(datagram(Load(reference)))

    def _fork(self) -> None:
        ours, theirs = socket.socketpair()
        with theirs:
            socket.send_fds(self._control, [datagram(Fork())], [theirs.fileno()])
        member = Member(ours, self._loads)
        self._members.append(member)
        if self._hub is not None:
            self._listen(member)

    def _listen(self, member: Member) -> None:
        self._hub.add_reader(member.fileno(), self._hear, member)

    def _hear(self, member: Member) -> None:
        unborn = not member.pid
        if not member.hear():
            self._replace(member)
        elif unborn:
            self.on_birth()
        self._renew()
        self.on_idle()

    def _replace(self, member: Member) -> None:
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

    def _hear_server(self) -> None:
        content = self._control.recv(2**16)
        match parse(content) if content else None:
            case Loaded(reference, error):
                self._loading.discard(reference)
                self._loads += error is None
                self._unloadable.add(reference) if error else self._unloadable.discard(reference)
                self._renew()
                self.on_idle()
            case Ended(pid, status):
                log.log(logging.ERROR if status else logging.INFO, "process %s: %s", pid, status)
            case _:
                log.error("the fork server is gone: this worker ends")
                state.should_stop = os.EX_SOFTWARE
