"""Gathers messages that can share a model call, and gives them to free pool processes.

There is no artificial delay: a single request starts at once. While a quick microbatch runs, or
every process is busy, requests collect on the queue and form the next microbatch. A slow version
leaves the last free process to quicker versions that are asked for.
"""

import logging
import time
from collections import defaultdict, deque
from collections.abc import Callable, Iterator

from celery.worker import state

from tasks.time_limits import OUTAGE
from workers.microbatch.batch_size import MAX_BATCH_WAIT, BatchSize
from workers.microbatch.crashes import Crashes
from workers.microbatch.demand import Demand
from workers.microbatch.events import EventSender
from workers.microbatch.grouping import Group, group_of
from workers.microbatch.message import Message
from workers.pool.pool_process import PoolProcess
from workers.pool.pools import Pools
from workers.protocol import Disposition, Done, Instruction, Item, Microbatch, Step

log = logging.getLogger(__name__)
MAX_WAITING = 1024
"""Messages that may wait for versions to be loaded."""
MAX_BYTES = 8 * 2**20
"""Bytes of message bodies in one microbatch."""
MAX_WAITING_BYTES = 8 * MAX_BYTES
"""Bytes of waiting message bodies at which the worker stops taking messages."""
MAX_HELD_BACK = 64
"""Messages of slow versions that may wait here while a process is free, so that the worker finds
what waits behind them on the queue. Other workers could start them sooner, so they are few."""


class Batcher:
    """The messages that this worker holds: waiting by group, or running."""

    def __init__(
        self,
        pool: Pools,
        events: EventSender,
        *,
        crashes: Crashes,
        is_blind: Callable[[], bool],
        remind: Callable[[], object],
    ) -> None:
        """``is_blind``: whether this worker cannot read the registry now.

        ``remind`` schedules another look at the queue in `MAX_BATCH_WAIT` seconds, unconditionally.
        """
        self._pool = pool
        self._events = events
        self._crashes = crashes
        self._is_blind = is_blind
        self._remind = remind
        self._waiting: dict[Group, deque[Message]] = {}
        self._waiting_bytes = 0
        self._running: dict[PoolProcess, list[Message]] = {}
        self._abandoned: set[PoolProcess] = set()
        """Processes that were killed because no caller wants the answers any more."""
        self._awaited: dict[PoolProcess, float] = {}
        """Processes whose quick microbatch is worth waiting for → until when, monotonic seconds."""
        self._batch_sizes: defaultdict[tuple[str | None, str | None], BatchSize] = defaultdict(
            BatchSize
        )
        self._next_rows = 1
        self.seen_capacity = 0
        """`capacity` when the event loop last asked for it; another thread reads it here."""
        self._demand = Demand()
        self._looks_again_at = 0.0
        """When to try the registry again, in `time.monotonic` seconds; 0 if it could be read."""

    @property
    def capacity(self) -> int:
        """Messages that may be reserved now: enough for the next microbatch, 0 if none can start.

        The rest stays on the queue for other workers. Messages that wait for their version to be
        loaded do not count, up to `MAX_WAITING`, nor those of slow versions, up to `MAX_HELD_BACK`.
        """
        self.seen_capacity = self._capacity()
        return self.seen_capacity

    def _capacity(self) -> int:
        too_large = self._waiting_bytes >= MAX_WAITING_BYTES
        if too_large or self._rests or not self._pool.has_idle or self._is_soon_over():
            return 0
        sizes = {group: len(messages) for group, messages in self._waiting.items()}
        held_back = sum(n for group, n in sizes.items() if self._is_held_back(group))
        could = sum(n for group, n in sizes.items() if self._pool.can_serve(group.reference))
        # The version of the next message is unknown; assume that of the latest microbatch.
        most = MAX_WAITING - sum(sizes.values())
        if held_back:
            most = min(most, MAX_HELD_BACK - held_back)
        # What is held back cannot use the free process, so it does not count towards the next one.
        return max(min(self._next_rows - could + held_back, most), 0)

    def reserved_tags(self) -> Iterator[str]:
        """Tags of all messages that are reserved and not yet settled."""
        for messages in (*self._waiting.values(), *self._running.values()):
            yield from (message.tag for message in messages)

    def running(self) -> list[tuple[str, str]]:
        """Tag and id of every message that is being computed."""
        return [(m.tag, m.request.id) for messages in self._running.values() for m in messages]

    def take_back_waiting(self) -> list[str]:
        """Forget the messages that no process computes, and return their tags for release."""
        waiting, self._waiting, self._waiting_bytes = self._waiting, {}, 0
        return [message.tag for messages in waiting.values() for message in messages]

    def long_running(self, seconds: float) -> Iterator[tuple[PoolProcess, list[Message]]]:
        """Processes that compute a microbatch for at least ``seconds``, and its messages."""
        for process, messages in self._running.items():
            if not messages[0].is_step and process.busy_seconds >= seconds:
                yield process, messages

    def abandon(self, process: PoolProcess) -> None:
        """Kill a process whose messages are all settled; none of them is computed again."""
        self._abandoned.add(process)
        process.kill()

    def rest(self) -> None:
        """Take no messages until this worker can read the registry, and so leave them to others."""
        if not self._looks_again_at:
            log.warning("this worker cannot read the registry: it takes no messages until it can")
        self._looks_again_at = time.monotonic() + OUTAGE

    @property
    def _rests(self) -> bool:
        """Whether this worker takes no messages; it tries the registry every `OUTAGE` seconds."""
        if self._looks_again_at and time.monotonic() >= self._looks_again_at:
            self._looks_again_at = time.monotonic() + OUTAGE if self._is_blind() else 0.0
        return bool(self._looks_again_at)

    def fail_waiting_for(self, reference: str) -> None:
        """Fail the messages that wait for a version whose loading hangs."""
        # A list first: `_wait` adds a group to the dictionary that is being searched.
        for group in [group for group in self._waiting if group.reference == reference]:
            for message in self._waiting.pop(group):
                # `_wait` counts these bytes again.
                self._waiting_bytes -= len(message.body)
                # No model is needed to settle them, so any process can do it.
                message.instruction, message.reference = Instruction.GIVE_UP_LOADING, None
                self._wait(message, group.alone)

    def add(self, message: Message) -> None:
        """Queue a reserved message until `dispatch`."""
        self._events.received(message.request)
        self._demand.note(message.reference)
        # A tag is unique, so a group with one has a single message.
        self._wait(message, alone=message.tag if message.is_step else None)

    def dispatch(self) -> None:
        """Start microbatches on free processes, the group that has waited longest first."""
        # A copy: taking a microbatch removes its group, or moves it to the end.
        for group in list(self._waiting):
            while (
                group in self._waiting
                and not self._is_held_back(group)
                and (process := self._pool.idle(group.reference))
            ):
                self._run(process, group, self._take(group))

    def _is_soon_over(self) -> bool:
        """Whether a running microbatch is worth waiting for, so that new messages share the next.

        Two model calls side by side take twice the CPU time of one call for all rows.
        """
        now = time.monotonic()
        return any(now < until for until in self._awaited.values())

    def _is_held_back(self, group: Group) -> bool:
        """Whether a slow version leaves the last free process to versions that are not slow."""
        if not self._batch_size(group).is_slow or self._pool.has_spare:
            return False
        slow = {reference for (reference, _), size in self._batch_sizes.items() if size.is_slow}
        return any(other not in slow for other in self._demand.for_others(group.reference))

    def _wait(self, message: Message, alone: str | None) -> None:
        group = group_of(message, alone)
        self._waiting.setdefault(group, deque()).append(message)
        self._waiting_bytes += len(message.body)

    def _take(self, group: Group) -> list[Message]:
        """The next microbatch of a group: as many as fit; an oversized request goes alone."""
        queue, rows, size = self._waiting[group], 0, 0
        most = self._batch_size(group).rows
        taken: list[Message] = []
        while queue:
            rows, size = rows + queue[0].rows, size + len(queue[0].body)
            if taken and (rows > most or size > MAX_BYTES):
                # Move the group to the end of the order, so that other groups go first.
                self._waiting[group] = self._waiting.pop(group)
                return taken
            taken.append(queue.popleft())
            self._waiting_bytes -= len(taken[-1].body)
        del self._waiting[group]
        return taken

    def _batch_size(self, group: Group) -> BatchSize:
        return self._batch_sizes[group.reference, group.method]

    def _run(self, process: PoolProcess, group: Group, messages: list[Message]) -> None:
        self._running[process] = messages
        for message in messages:
            self._events.started(message.request, process.pid)
        started = time.monotonic()
        rows = sum(message.rows for message in messages)
        # The reminder is needed as nothing else looks at the queue if this microbatch takes longer.
        if self._batch_size(group).should_wait_for(rows, len(messages)):
            self._awaited[process] = started + MAX_BATCH_WAIT
            self._remind()

        def finished(done: Done | None) -> None:
            # Messages that run again are in neither dictionary until `_wait`. No upkeep can miss
            # them: it runs on this event loop, too.
            del self._running[process]
            self._awaited.pop(process, None)
            is_abandoned = process in self._abandoned
            self._abandoned.discard(process)
            # An answer came before the kill did its work: then it counts, as usual.
            if done is None and is_abandoned:
                self._end_cancelled(messages)
            elif done is None:
                # 0 for a process that this worker killed because it was frozen: such time is not
                # charged to a message as a timeout.
                seconds = 0.0 if process.frozen else time.monotonic() - started
                for message in self._crashes.handled(messages, seconds):
                    self._wait(message, alone=message.tag)
            else:
                # Job steps and messages without a version say nothing about a model's run time.
                if group.reference is not None and not messages[0].is_step:
                    self._learn(group, messages, done)
                self._conclude(messages, done)

        items = [_item(message) for message in messages]
        process.take(Step(items[0]) if messages[0].is_step else Microbatch(items), finished)

    def _learn(self, group: Group, messages: list[Message], done: Done) -> None:
        answered = zip(messages, done.dispositions, strict=True)
        # What was cancelled, or refused before the model was called, took no time.
        rows = sum(message.rows for message, how in answered if how.kind == "succeeded")
        if rows:
            batch_size = self._batch_size(group)
            batch_size.learn(rows, done.seconds)
            self._next_rows = batch_size.rows

    def _conclude(self, messages: list[Message], done: Done) -> None:
        for message, disposition in zip(messages, done.dispositions, strict=True):
            # It may have crashed another process, so `start.lua` lets it start only alone.
            if disposition.kind == "suspect":
                self._wait(message, alone=message.tag)
            else:
                self._events.finished(message.request, disposition, done.seconds)

    def _end_cancelled(self, messages: list[Message]) -> None:
        for message in messages:
            self._events.finished(message.request, Disposition("cancelled"), 0.0)


def _item(message: Message) -> Item:
    request = message.request
    # Revoked by remote control, which Celery would check in its own strategy for tasks.
    is_revoked = request.id in state.revoked
    instruction = Instruction.CANCEL if is_revoked else message.instruction
    expires = request.expires.timestamp() if request.expires else None
    return Item(
        *(message.tag, request.id, message.content_type, message.body),
        *(expires, instruction, message.limit),
    )
