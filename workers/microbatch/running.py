"""The microbatches that pool processes compute now."""

import time
from collections.abc import Iterator
from dataclasses import dataclass

from workers.microbatch.batch_size import MAX_BATCH_WAIT
from workers.microbatch.message import Message
from workers.pool.pool_process import PoolProcess
from workers.workload import Workload


@dataclass(slots=True)
class RunningMicrobatch:
    """The messages that one process was given."""

    messages: list[Message]
    started: float
    """Start in `time.monotonic` seconds."""
    is_awaited: bool
    """Whether it is quick, so that new messages should wait for it and share the next one."""
    is_abandoned: bool = False
    """Whether its process was killed because no caller wants the answers any more."""

    @property
    def seconds(self) -> float:
        """Seconds that it has run for."""
        return time.monotonic() - self.started


class RunningMicrobatches:
    """The microbatch of each process that has one."""

    def __init__(self) -> None:
        self._by_process: dict[PoolProcess, RunningMicrobatch] = {}
        self.workload = Workload()

    def __len__(self) -> int:
        return len(self._by_process)

    def start(self, process: PoolProcess, messages: list[Message], *, is_awaited: bool) -> None:
        """Note that a process is given messages."""
        self._by_process[process] = RunningMicrobatch(messages, time.monotonic(), is_awaited)
        self.workload.begin()

    def end(self, process: PoolProcess) -> RunningMicrobatch:
        """Forget the microbatch of a process that finished or died, and return it."""
        running = self._by_process.pop(process)
        self.workload.end(sum(message.rows for message in running.messages), running.seconds)
        return running

    def messages(self) -> Iterator[Message]:
        """All messages that are being computed."""
        for running in self._by_process.values():
            yield from running.messages

    @property
    def is_soon_over(self) -> bool:
        """Whether a microbatch is worth waiting for, so that new messages share the next.

        Two model calls side by side take twice the CPU time of one call for all rows.
        """
        return any(
            running.is_awaited and running.seconds < MAX_BATCH_WAIT
            for running in self._by_process.values()
        )

    def long_running(self, seconds: float) -> Iterator[tuple[PoolProcess, list[Message]]]:
        """Processes that compute a microbatch for at least ``seconds``, and its messages."""
        for process, running in self._by_process.items():
            # A step of a job is finished even if its job is cancelled.
            if not running.messages[0].is_step and process.busy_seconds >= seconds:
                yield process, running.messages

    def abandon(self, process: PoolProcess) -> None:
        """Kill a process whose messages are all settled; none of them is computed again."""
        # Marked, as the end of the process would otherwise count as a crash of its messages.
        self._by_process[process].is_abandoned = True
        process.kill()
