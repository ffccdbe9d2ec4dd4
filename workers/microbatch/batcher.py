"""Gathers messages that can share a model call, and gives them to free pool processes.

There is no artificial delay: a single request starts at once. While a quick microbatch runs, or
every process is busy, requests collect on the queue and form the next microbatch. A slow version
leaves the last free process to quicker versions that are asked for.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import chain

from celery.worker import state

from tasks.scaling.demand import Work
from telemetry.tracing.span import TraceSpan
from telemetry.tracing.traceparent import known_context
from workers.compute.spans import lost_attempt
from workers.microbatch.batch_size import BatchSizes
from workers.microbatch.crashes import Crashes
from workers.microbatch.events import EventSender
from workers.microbatch.gathered import (
    MAX_GATHERED,
    MAX_GATHERED_BYTES,
    GatheredMessages,
    MicrobatchKey,
)
from workers.microbatch.message import Message
from workers.microbatch.registry_outage import RegistryOutage
from workers.microbatch.running import RunningMicrobatch, RunningMicrobatches
from workers.microbatch.slow_versions import MAX_HELD_BACK, SlowVersions
from workers.pool.pool_process import PoolProcess
from workers.pool.pools import Pools
from workers.protocol import Disposition, Done, Instruction, Item, Microbatch, Step


class Batcher:
    """Takes reserved messages from `add` until their outcome; they wait or run meanwhile."""

    def __init__(
        self,
        pool: Pools,
        events: EventSender,
        *,
        crashes: Crashes,
        registry_outage: RegistryOutage,
        remind: Callable[[], object],
        note_spans: Callable[[Sequence[TraceSpan]], object] = lambda _: None,
    ) -> None:
        """``remind`` schedules another look at the queue in `MAX_BATCH_WAIT` seconds.

        ``note_spans``: is given spans to export.
        """
        self._note_spans = note_spans
        self._pool = pool
        self._events = events
        self._crashes = crashes
        self._registry_outage = registry_outage
        self._remind = remind
        self._batch_sizes = BatchSizes()
        self._slow_versions = SlowVersions(self._batch_sizes, pool)
        self._gathered = GatheredMessages()
        self._running = RunningMicrobatches()
        self._latest_requests = 1
        """Requests in the microbatch that ended last."""
        self.seen_capacity = 0
        """`capacity` when the event loop last asked for it; another thread reads it here."""

    @property
    def capacity(self) -> int:
        """Messages that may be reserved now: enough for the next microbatch, 0 if none can start.

        The rest stays on the queue for other workers. Messages that wait for their version to be
        loaded do not count, up to `MAX_GATHERED`; nor do those of slow versions, up to
        `MAX_HELD_BACK`.
        """
        self.seen_capacity = self._capacity() if self._can_take() else 0
        return self.seen_capacity

    def _can_take(self) -> bool:
        return (
            self._gathered.bytes < MAX_GATHERED_BYTES
            and not self._registry_outage.lasts
            and self._pool.has_idle
            and not self._running.is_soon_over
        )

    def _capacity(self) -> int:
        sizes = {group: self._gathered.count(group) for group in self._gathered}
        held_back = sum(n for group, n in sizes.items() if self._slow_versions.is_held_back(group))
        could = sum(n for group, n in sizes.items() if self._pool.can_serve(group.reference))
        most = MAX_GATHERED - len(self._gathered)
        if held_back:
            most = min(most, MAX_HELD_BACK - held_back)
        # The version of the next message is unknown; assume that of the latest microbatch. What is
        # held back cannot use the free process, so it does not count towards the next one.
        return max(min(self._batch_sizes.latest_rows - could + held_back, most), 0)

    @property
    def is_idle(self) -> bool:
        """Whether nothing waits or runs, a process is free, and requests come one at a time.

        If those of the latest microbatch came together, the next ones probably do, and should
        share a microbatch again.
        """
        is_free = self._can_take() and not self._gathered and not self._running
        return is_free and self._latest_requests == 1

    def reserved_tags(self) -> Iterator[str]:
        """Tags of all messages that are reserved and not yet settled."""
        messages = chain(self._gathered.messages(), self._running.messages())
        return (message.tag for message in messages)

    def running(self) -> list[tuple[str, str]]:
        """Tag and id of every message that is being computed."""
        return [(message.tag, message.request.id) for message in self._running.messages()]

    def work(self) -> Work:
        """What this worker computes, and what waits in it."""
        waiting, workload = [*self._gathered.messages()], self._running.workload
        return Work(
            busy=round(workload.busy, 3),
            rows_per_second=workload.rows_per_second,
            rows_waiting=sum(message.rows for message in waiting),
            messages_waiting=len(waiting),
            rows_computing=sum(message.rows for message in self._running.messages()),
        )

    def take_back_waiting(self) -> list[str]:
        """Forget the messages that no process computes, and return their tags for release."""
        return [message.tag for message in self._gathered.take_all()]

    def take_back_started(self) -> list[tuple[str, str]]:
        """Forget the messages that have started and wait for a process: their tags and ids."""
        started = self._gathered.take_started()
        return [(message.tag, message.request.id) for message in started]

    def long_running(self, seconds: float) -> Iterator[tuple[PoolProcess, list[Message]]]:
        """Processes that compute a microbatch for at least ``seconds``, and its messages."""
        return self._running.long_running(seconds)

    def abandon(self, process: PoolProcess) -> None:
        """Kill a process whose messages are all settled; none of them is computed again."""
        self._running.abandon(process)

    def fail_waiting_for(self, reference: str) -> None:
        """Fail the messages that wait for a version whose loading hangs."""
        for group, message in self._gathered.take_version(reference):
            # No model is needed to settle them, so any process can do it.
            message.instruction, message.reference = Instruction.GIVE_UP_LOADING, None
            self._gathered.add(message, alone=group.alone is not None)

    def add(self, message: Message) -> None:
        """Queue a reserved message until `dispatch`."""
        self._events.received(message.request)
        self._slow_versions.note(message.reference)
        # Alone: the others of a microbatch start in the pool process, all in one call.
        self._gathered.add(message, alone=message.is_step or message.is_started)

    def dispatch(self) -> None:
        """Start microbatches on free processes, the group that has waited longest first."""
        for group in self._gathered:
            while (
                group in self._gathered
                and not self._slow_versions.is_held_back(group)
                and (process := self._pool.idle(group.reference))
            ):
                max_rows = self._batch_sizes.of(group.reference, group.method).rows
                self._run(process, group, self._gathered.take(group, max_rows))

    def _run(self, process: PoolProcess, group: MicrobatchKey, messages: list[Message]) -> None:
        for message in messages:
            self._events.started(message.request, process.pid)
        rows = sum(message.rows for message in messages)
        batch_size = self._batch_sizes.of(group.reference, group.method)
        is_awaited = batch_size.should_wait_for(rows, len(messages))
        self._running.start(process, messages, is_awaited=is_awaited)
        if is_awaited:
            # If this microbatch takes longer, no event causes another look at the queue.
            self._remind()
        items = [_item(message) for message in messages]
        for message in messages:
            message.is_started = False  # if it is computed again, that is another attempt
        command = Step(items[0]) if messages[0].is_step else Microbatch(items)
        process.take(command, partial(self._finished, process, group))

    def _finished(self, process: PoolProcess, group: MicrobatchKey, done: Done | None) -> None:
        # Messages that run again are for a moment neither running nor waiting. No upkeep can miss
        # them: it runs on this event loop, too.
        running = self._running.end(process)
        self._latest_requests = len(running.messages)
        # An answer that came before a kill did its work counts, as usual.
        if done is not None:
            if done.spans:
                self._note_spans(done.spans)
            self._learn(group, running.messages, done)
            self._conclude(running.messages, done)
        elif running.is_abandoned:
            self._end_cancelled(running.messages)
        else:
            # A process that this worker killed because it was frozen: such time is not charged to
            # a message as a timeout.
            self._note_spans(_lost_attempts(running))
            seconds = 0.0 if process.frozen else running.seconds
            for message in self._crashes.handled(running.messages, seconds):
                self._gathered.add(message, alone=True)

    def _learn(self, group: MicrobatchKey, messages: list[Message], done: Done) -> None:
        # Job steps and messages without a version say nothing about a model's run time.
        if group.reference is None or messages[0].is_step:
            return
        answered = zip(messages, done.dispositions, strict=True)
        # What was cancelled, or refused before the model was called, took no time.
        rows = sum(message.rows for message, how in answered if how.kind == "succeeded")
        if rows:
            self._batch_sizes.learn(group.reference, group.method, rows, done.seconds)

    def _conclude(self, messages: list[Message], done: Done) -> None:
        for message, disposition in zip(messages, done.dispositions, strict=True):
            # It may have crashed another process, so `start.lua` starts it only alone.
            if disposition.kind == "suspect":
                self._gathered.add(message, alone=True)
            else:
                self._events.finished(message.request, disposition, done.seconds)

    def _end_cancelled(self, messages: list[Message]) -> None:
        for message in messages:
            self._events.finished(message.request, Disposition("cancelled"), 0.0)


def _lost_attempts(running: RunningMicrobatch) -> list[TraceSpan]:
    now = time.time()
    times = now - running.seconds, now
    return [
        lost_attempt(known_context(message.traceparent), message.tag, message.request.id, times)
        for message in running.messages
        if message.traceparent
    ]


def _item(message: Message) -> Item:
    request = message.request
    # Revoked by remote control, which Celery would check in its own strategy for tasks.
    is_revoked = request.id in state.revoked
    instruction = Instruction.CANCEL if is_revoked else message.instruction
    expires = request.expires.timestamp() if request.expires else None
    return Item(
        *(message.tag, request.id, message.content_type, message.body),
        *(expires, instruction, message.limit, message.is_started),
        traceparent=message.traceparent,
    )
