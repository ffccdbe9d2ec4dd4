"""Gathers messages that can share a model call, and dispatches them the moment that pays.

No artificial wait: a lone request goes at once. While a quick batch runs, or every process is busy,
the next batch grows by itself, on the queue.
"""

import time
from collections import defaultdict, deque
from collections.abc import Callable, Iterator

from celery.worker import state

from tasks.time_limits import LONGEST_RUN, OUTAGE
from workers.celery.events import EventSender
from workers.microbatch.batch_size import MOMENT, BatchSize
from workers.microbatch.grouping import Group, group_of
from workers.microbatch.message import Message
from workers.pool.pool import Pool
from workers.pool.pool_process import PoolProcess
from workers.pool.protocol import Disposition, Done, Fate, Instruction, Item, Microbatch, Step

MOST_WAITING = 1024
"""Messages that may wait for versions to be loaded."""
MOST_BYTES = 8 * 2**20
"""Of the messages in a batch."""
MOST_WAITING_BYTES = 8 * MOST_BYTES
"""Of the messages that wait for versions to be loaded; no more are taken beyond it."""


class Batcher:
    """The messages that this worker holds: waiting by group, or running."""

    def __init__(self, pool: Pool, announcer: EventSender) -> None:
        self._pool = pool
        self._announcer = announcer
        self._waiting: dict[Group, deque[Message]] = {}
        self._waiting_bytes = 0
        self._running: dict[PoolProcess, list[Message]] = {}
        self._awaited: dict[PoolProcess, float] = {}
        """Until when the end of what is quick is worth waiting for, as `time.monotonic`."""
        self._paces: defaultdict[tuple[str, str], BatchSize] = defaultdict(BatchSize)
        self._appetite = 1
        self._rests_until = 0.0
        self.judge: Callable[[Message], Disposition | None] = lambda _: None
        """What becomes of a message whose process died while it was alone; None where it stays."""
        self.spare: Callable[[list[Message]], bool] = lambda _: False
        """Gives back messages that another's limit interrupted, uncharged; whether it could."""
        self.remind: Callable[[], object] = lambda: None
        """Makes the worker look for messages after a `MOMENT`, whatever happens until then."""

    @property
    def room(self) -> int:
        """How many messages may be reserved now: what the next batch may take, if any can start.

        The rest stays on the queue, where others can take it. Those that wait for their version
        to be loaded are in nobody's way, up to a bound.
        """
        too_large = self._waiting_bytes >= MOST_WAITING_BYTES
        rests = time.monotonic() < self._rests_until
        if too_large or rests or not self._pool.has_idle or self._is_soon_over():
            return 0
        sizes = {group: len(messages) for group, messages in self._waiting.items()}
        could = sum(n for group, n in sizes.items() if self._pool.can_serve(group.reference))
        return max(min(self._appetite - could, MOST_WAITING - sum(sizes.values())), 0)

    def held(self) -> Iterator[str]:
        """Tags of all messages that were reserved and are not settled."""
        for messages in (*self._waiting.values(), *self._running.values()):
            yield from (message.tag for message in messages)

    def running(self) -> list[tuple[str, str]]:
        """Tag and id of all that are computed now."""
        return [(m.tag, m.request.id) for messages in self._running.values() for m in messages]

    def give_up_waiting(self) -> list[str]:
        """Let somebody else compute those that no process has; gives their tags."""
        waiting, self._waiting, self._waiting_bytes = self._waiting, {}, 0
        return [message.tag for messages in waiting.values() for message in messages]

    def rest(self) -> None:
        """Take nothing for a while: this worker does not see the models, and others may."""
        self._rests_until = time.monotonic() + OUTAGE

    def give_up(self, reference: str) -> None:
        """What waits for a version that cannot be loaded is only to be settled."""
        for group in [group for group in self._waiting if group.reference == reference]:
            for message in self._waiting.pop(group):
                self._waiting_bytes -= len(message.body)
                message.order, message.reference = "give up", ""  # which any process can do
                self._wait(message, group.alone)

    def add(self, message: Message) -> None:
        """A message was reserved; it waits until `dispatch`."""
        self._announcer.received(message.request)
        self._wait(message, alone=message.tag if message.lone else None)

    def dispatch(self) -> None:
        """Give waiting groups to free processes, the group that waits longest first."""
        for group in list(self._waiting):
            while group in self._waiting and (member := self._pool.idle(group.reference)):
                self._run(member, group, self._take(group))

    def _is_soon_over(self) -> bool:
        """Whether a batch runs that is worth waiting for: what comes meanwhile shares the next.

        Two calls side by side take twice the processor of one call for all their rows.
        """
        now = time.monotonic()
        return any(now < until for until in self._awaited.values())

    def _wait(self, message: Message, alone: str | None) -> None:
        group = group_of(message, alone)
        self._waiting.setdefault(group, deque()).append(message)
        self._waiting_bytes += len(message.body)

    def _take(self, group: Group) -> list[Message]:
        """The next batch of a group: as much as fits; a larger request goes alone."""
        queue, rows, size = self._waiting[group], 0, 0
        most = self._pace(group).rows
        taken: list[Message] = []
        while queue:
            rows, size = rows + queue[0].rows, size + len(queue[0].body)
            if taken and (rows > most or size > MOST_BYTES):
                self._waiting[group] = self._waiting.pop(group)  # the others are first now
                return taken
            taken.append(queue.popleft())
            self._waiting_bytes -= len(taken[-1].body)
        del self._waiting[group]
        return taken

    def _pace(self, group: Group) -> BatchSize:
        return self._paces[group.reference, group.method]

    def _run(self, member: PoolProcess, group: Group, messages: list[Message]) -> None:
        self._running[member] = messages
        for message in messages:
            self._announcer.started(message.request, member.pid)
        started = time.monotonic()
        rows = sum(message.rows for message in messages)
        if self._pace(group).is_worth_awaiting(rows, len(messages)):
            self._awaited[member] = started + MOMENT
            self.remind()

        def finished(done: Done | None) -> None:
            del self._running[member]
            self._awaited.pop(member, None)
            if done is None:
                self._lost(messages, 0.0 if member.frozen else time.monotonic() - started)
            else:
                if group.reference and not messages[0].lone:  # else the time tells of no batch
                    self._learn(group, rows, done.seconds)
                self._conclude(messages, done)

        items = [_item(message) for message in messages]
        member.take(Step(items[0]) if messages[0].lone else Microbatch(items), finished)

    def _learn(self, group: Group, rows: int, seconds: float) -> None:
        pace = self._pace(group)
        pace.took(rows, seconds)
        self._appetite = pace.rows

    def _conclude(self, messages: list[Message], done: Done) -> None:
        for message, fate in zip(messages, done.fates, strict=True):
            if fate.verdict == "suspect":
                self._wait(message, alone=message.tag)
            else:
                self._announcer.finished(message.request, fate, done.seconds)

    def _lost(self, messages: list[Message], seconds: float) -> None:
        """The process of these is gone, so many seconds after it was given them.

        Those that were in company are computed again, each alone, so that only one of them can end
        its process again. Where the limit of some was over, the others are not charged.
        """
        late = [message for message in messages if message.limit < seconds]
        if len(messages) == 1:
            self._lost_alone(messages[0], timed_out=bool(late))
            return
        if late and self._are_spared([m for m in messages if m.limit >= seconds]):
            messages = late
        for message in messages:
            self._wait(message, alone=message.tag)

    def _lost_alone(self, message: Message, *, timed_out: bool) -> None:
        if timed_out:
            # It is only to be settled from now on, for which its own limit may be too short.
            message.order, message.limit = "time out", LONGEST_RUN
        elif verdict := self.judge(message):
            self._announcer.finished(message.request, Fate(verdict, "worker_lost"), 0.0)
            return
        self._wait(message, alone=message.tag)

    def _are_spared(self, messages: list[Message]) -> bool:
        if are_spared := self.spare(messages):
            fate = Fate("retrying", "the time of another in its batch was over")
            for message in messages:
                self._announcer.finished(message.request, fate, 0.0)
        return are_spared


def _item(message: Message) -> Item:
    order: Instruction = "cancel" if message.request.id in state.revoked else message.order
    request = message.request
    expires = request.expires.timestamp() if request.expires else None
    return Item(
        *(message.tag, request.id, message.content_type, message.body),
        *(expires, order, message.limit),
    )
