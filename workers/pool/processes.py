"""The pool processes that one pool has: what they hold and compute, and how they are ended."""

from collections.abc import Iterator
from itertools import chain

from workers.pool.fork_server_client import STOP_GRACE
from workers.pool.pool_process import PoolProcess
from workers.protocol import LoadCost


class Processes:
    """Starting, free and busy processes, the oldest first."""

    def __init__(self) -> None:
        self._all: list[PoolProcess] = []

    def __iter__(self) -> Iterator[PoolProcess]:
        # Over a copy: processes are replaced meanwhile.
        return iter([*self._all])

    def __len__(self) -> int:
        return len(self._all)

    def add(self, process: PoolProcess) -> None:
        """Add one that the fork server is asked for."""
        self._all.append(process)

    def remove(self, process: PoolProcess) -> None:
        """Forget one that ended, or that ends after its work."""
        self._all.remove(process)

    @property
    def pids(self) -> list[int]:
        """Process ids of those that are ready to compute, or computing."""
        # A process has an id only once it has said that it is ready.
        return [process.pid for process in self._all if process.pid is not None]

    @property
    def held(self) -> dict[str, LoadCost]:
        """Versions that any of them holds, as model:version."""
        return dict(chain.from_iterable(process.held.items() for process in self._all))

    @property
    def busy(self) -> list[PoolProcess]:
        """Processes that compute."""
        return [process for process in self._all if process.busy]

    @property
    def free(self) -> list[PoolProcess]:
        """Processes that are ready and compute nothing."""
        return [process for process in self._all if process.idle]

    def hold(self, reference: str | None) -> bool:
        """Whether any of them, free or busy, holds a version."""
        return any(reference in process.held for process in self._all)

    def have_one_forked_at(self, loads: int) -> bool:
        """Whether one is ready that was forked after as many loads of the fork server."""
        return any(process.is_ready and process.loads_at_fork == loads for process in self._all)

    def have_one_forked_before(self, loads: int) -> bool:
        """Whether one was forked before the fork server had finished as many loads."""
        return any(process.loads_at_fork < loads for process in self._all)

    def stale(self, loads: int) -> PoolProcess | None:
        """A free one that was forked before as many loads; None while one of them is starting."""
        # One at a time, so that renewing the pool leaves as many processes free as possible.
        if not all(process.is_ready for process in self._all):
            return None
        return next((each for each in self.free if each.loads_at_fork < loads), None)

    def kill(self, pid: int) -> None:
        """Kill one; the other messages of its microbatch run again."""
        for process in self._all:
            if process.pid == pid:
                process.kill()

    def kill_all(self) -> None:
        """Kill all of them, whether they compute or not."""
        for process in self._all:
            process.kill()

    def interrupt(self) -> None:
        """Kill those that compute."""
        for process in self.busy:
            process.kill()

    def end_overdue(self) -> None:
        """Kill those that exceeded their time limit and are frozen."""
        for process in self._all:
            process.end_overdue(STOP_GRACE)

    def hang_up(self) -> None:
        """Hang up: each of them ends after its microbatch."""
        for process in self._all:
            process.hang_up()
