"""The pool: processes forked from the fork server, each computing one microbatch at a time."""

import logging
import select
import time
from threading import Thread
from typing import Any

from telemetry.logs import of_version
from telemetry.memory import resident_bytes
from workers.pool.fork_server_client import STOP_GRACE, ForkServerClient
from workers.pool.listener import Listener
from workers.pool.load_retry import LoadRetry
from workers.pool.pool_process import PoolProcess
from workers.pool.processes import Processes
from workers.protocol import Ended, Loaded, Loading, Unloaded

log = logging.getLogger(__name__)


class Pool:
    """A fork server and its pool processes. Only the fork server loads models, never the worker."""

    def __init__(
        self,
        load_retry: LoadRetry,
        size: int,
        queue: str,
        listener: Listener,
        environment_of: str | None = None,
    ) -> None:
        """Start the fork server of a worker on ``queue``, and ask it for ``size`` processes.

        ``environment_of``: a version in whose environment it runs; None for the worker's own.
        """
        self.size, self.queue, self.listener = size, queue, listener
        self._load_retry, self._environment_of = load_retry, environment_of
        self.processes = Processes()
        self._hub: Any = None
        self._loads = 0
        self._hanging: set[str] = set()
        self._unloads: dict[str, int] = {}
        """Version that the fork server has forgotten → changes of what it held, until then."""
        self._unloading: set[str] = set()
        """Versions for which `unload` was asked, and has not been true."""
        self._missing = 0
        """Processes that ended before they were ready; `maintain` has them forked again."""
        self._is_closed = False
        self._fork_server = self._new_fork_server()
        for _ in range(size):
            self._fork()

    def resize(self, size: int) -> None:
        """Have so many processes: fork what lacks, and end those too many once they are free."""
        lacking = size - len(self.processes) - self._missing
        self.size = size
        for _ in range(lacking):
            self._fork_unless_closed()
        self._end_surplus()

    def listen(self, hub: Any) -> None:
        """Listen to the fork server and all processes on an event loop, perhaps a new one."""
        self._hub = hub
        if self._fork_server.fileno() >= 0:  # one that ended is closed already
            hub.add_reader(self._fork_server.fileno(), self._hear_fork_server)
        for process in self.processes:
            hub.add_reader(process.fileno(), self._hear, process)

    def close(self) -> None:
        """Replace no more processes that end."""
        self._is_closed = True

    def hang_up(self) -> None:
        """Hang up: each process ends after its microbatch, and the fork server after all."""
        self.processes.hang_up()
        self._fork_server.hang_up()

    def stop(self, grace: float = STOP_GRACE) -> None:
        """Hang up, and kill the fork server if it has not ended within ``grace`` seconds."""
        self.hang_up()
        self._fork_server.close(grace)

    @property
    def memory_bytes(self) -> int:
        """Resident memory of the fork server and its processes; what they share counts in each."""
        # Not by psutil's search for children, which reads every process of the machine.
        return sum(map(resident_bytes, [self._fork_server.pid, *self.processes.pids]))

    @property
    def has_spare(self) -> bool:
        """Whether a process stays free if one more is taken; also if there is only one at all."""
        return len(self.processes.free) > 1 or len(self.processes) + self._missing == 1

    def can_serve(self, reference: str | None) -> bool:
        """Whether some process, free or busy, can take messages of this version.

        Otherwise the version has to be loaded first.
        """
        # Any process can settle messages without a version, or of one that failed to load.
        anyone = reference is None or self._load_retry.has(reference)
        return anyone or self.processes.hold(reference)

    def idle(self, reference: str | None) -> PoolProcess | None:
        """A free process that holds this version; asks for it to be loaded if none holds it."""
        free = self.processes.free
        # Any process will do: these are only settled, or fail with the error of their own load.
        if reference is None or self._load_retry.has(reference):
            return next(iter(free), None)
        if not self.can_serve(reference) and self._shows_what_is_loaded():
            self._fork_server.load(reference)
        return next((process for process in free if reference in process.held), None)

    def hold(self, reference: str) -> bool:
        """Ask for a version to be loaded unless a process holds it; whether one does."""
        is_held = self.processes.hold(reference)
        if not is_held and self._shows_what_is_loaded():
            self._fork_server.load(reference)
        return is_held

    def unload(self, reference: str) -> bool:
        """Ask for a version to be forgotten; whether no process is left that was forked before.

        To be called until it is true. Messages that come meanwhile have it loaded again.
        """
        self._unloading.add(reference)
        since = self._unloads.get(reference)
        if since is None:
            self._fork_server.unload(reference)
            return False
        if self.processes.have_one_forked_before(since):
            return False
        del self._unloads[reference]
        self._unloading.remove(reference)
        return True

    def maintain(self) -> None:
        """Kill what exceeded its time limit and is frozen, and fork what is missing.

        To be called every few seconds.
        """
        self._fork_missing()
        self._end_surplus()
        self._fork_server.end_overdue()
        self.processes.end_overdue()

    def drain(self, timeout: float) -> bool:
        """Handle results until nothing is being computed; False if ``timeout`` seconds pass."""
        end = time.monotonic() + timeout
        while busy := self.processes.busy:
            readable, _, _ = select.select(busy, [], [], max(end - time.monotonic(), 0))
            if not readable:
                return False
            for process in readable:
                self._hear(process)
        return True

    def retire(self) -> None:
        """Hear nothing more of a pool without work, and end it without waiting for its end."""
        self.close()
        heard = [self._fork_server.fileno(), *(each.fileno() for each in self.processes)]
        for descriptor in heard:
            if descriptor >= 0:  # a fork server that ended is closed already
                self._hub.remove(descriptor)
        # No daemon: a worker that ends meanwhile waits, so that a fork server that hangs is killed.
        Thread(target=self.stop, name="retiring").start()

    def _new_fork_server(self) -> ForkServerClient:
        never = self._load_retry.deadly | self._hanging
        return ForkServerClient(self.queue, never, self._environment_of)

    def _fork(self) -> None:
        process = PoolProcess(self._fork_server.fork(), self._loads)
        self.processes.add(process)
        if self._hub is not None:
            self._hub.add_reader(process.fileno(), self._hear, process)

    def _hear(self, process: PoolProcess) -> None:
        was_starting = not process.is_ready
        if not process.hear():
            self._replace(process)
        elif was_starting:
            self.listener.on_ready()
        # Before the process that became free gets new work: under load it would never be renewed.
        self._end_surplus()
        self._renew()
        self.listener.on_idle()

    def _replace(self, process: PoolProcess) -> None:
        self._hub.remove(process.fileno())  # before `hang_up`, after which there is no descriptor
        self.processes.remove(process)
        process.hang_up()
        if len(self.processes) + self._missing >= self.size:
            return
        if process.is_ready:
            self._fork_unless_closed()
        else:
            # What ends before it is ready would probably do so again, and forking it without a
            # pause would take a whole core.
            self._missing += 1

    def _end_surplus(self) -> None:
        """End free processes, the newest first, while there are more than the size of the pool."""
        self._missing = min(self._missing, max(self.size - len(self.processes), 0))
        surplus = len(self.processes) + self._missing - self.size
        for process in self.processes.free[::-1][: max(surplus, 0)]:
            self._replace(process)

    def _fork_unless_closed(self) -> None:
        if not self._is_closed:
            self._fork()

    def _fork_missing(self) -> None:
        missing, self._missing = self._missing, 0
        for _ in range(missing):
            self._fork_unless_closed()

    def _renew(self) -> None:
        """Replace one free process that was forked before the latest load.

        Waits while another replacement is starting, so that at most one process is missing.
        """
        if not self._missing and (stale := self.processes.stale(self._loads)):
            self._replace(stale)

    def _shows_what_is_loaded(self) -> bool:
        """Whether a ready process was forked after the latest load.

        Only such a process shows all that the fork server holds: a version that it lacks is not
        loaded yet, and has to be asked for.
        """
        return self.processes.have_one_forked_at(self._loads)

    def _hear_fork_server(self) -> None:
        match self._fork_server.hear():
            case Loading():
                return
            case Loaded(reference, None):
                self._loads += 1
                # Not while it is unloaded: under constant traffic that would never end.
                if reference not in self._unloading:
                    self._unloads.pop(reference, None)
                self._load_retry.forget(reference)
                self._hanging.discard(reference)
            case Loaded(reference, str(reason)):
                self._load_retry.note(reference, reason)
            case Unloaded(reference, was_held):
                self._loads += was_held
                self._unloads[reference] = self._loads
            case Ended(pid, status):
                level = logging.ERROR if status else logging.INFO
                fields = {"pid": pid, "status": status}
                log.log(level, "a process of the pool ended", extra=fields)
            case None:
                self._start_again()
        self._renew()
        self.listener.on_idle()

    def _start_again(self) -> None:
        """Start another fork server that skips the version whose loading ended the last one.

        A version that crashed it is never loaded there again: pool processes load it for each
        prediction, where a crash ends only one of them. A version that hung it would hang a pool
        process too, so its waiting messages fail at once, and only the fork server loads it again
        when the next message arrives.
        """
        hung_load = self._fork_server.hung_load
        ended_by = hung_load or self._fork_server.loading
        self._hub.remove(self._fork_server.fileno())
        self._fork_server.close()
        if ended_by is None:
            self.close()
            self.listener.on_end()
            return
        fields = of_version(ended_by)
        log.error(
            "loading a version ended the fork server; the version will not be loaded there again",
            extra=fields,
        )
        (self._hanging.add if hung_load else self._load_retry.note_deadly)(ended_by)
        # The pool processes of the old fork server stay: they hold their models, and are replaced
        # from the new one as they end.
        self._fork_server = self._new_fork_server()
        self._hub.add_reader(self._fork_server.fileno(), self._hear_fork_server)
        # Those that the old fork server was asked for and never forked.
        self._fork_missing()
        if hung_load:
            self.listener.on_hang(hung_load)
