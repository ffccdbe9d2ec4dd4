"""Reservations: messages are taken and noted in one step, kept, and given back."""

from collections.abc import Iterable

import redis

from tasks.ledger import keys
from tasks.ledger.script_constants import MOVED_FLOWS, PROBING, REUSING
from tasks.ledger.scripts import load_script

PRIORITIES = "\x06\x163", "\x06\x166", "\x06\x169"
"""Suffixes that kombu appends to a queue's name for the lists of other priorities."""


def queue_of_tag(tag: str) -> str:
    """The queue of a reservation's tag; tags.lua says how tags are spelt."""
    return tag.rpartition(":")[0]


class Reservations:
    """One worker's reservations; each call is one round trip."""

    def __init__(self, client: redis.Redis, visibility_timeout: float, result_ttl: int) -> None:
        self._client = client
        self._timeout = visibility_timeout
        self._reserve = load_script(client, "ledger.queue.reserve", **PROBING)
        constants = PROBING | REUSING | {"moved_flows": MOVED_FLOWS}
        self._upkeep = load_script(
            client, "ledger.queue.upkeep", result_ttl=result_ttl, **constants
        )
        self._note_idle = load_script(client, "ledger.queue.note_idle")
        self._withdraw = load_script(client, "ledger.queue.withdraw")

    def reserve(
        self, queue: str, most: int, rows: int, size: int, worker: str = "", versions: str = ""
    ) -> list[tuple[str, bytes]]:
        """Take up to ``most`` messages, ``rows`` and ``size`` bytes, oldest first: (tag, message).

        The first message is taken whatever its size. If there is none, ``versions``, unless it is
        empty, says that the worker has nothing to do, as in `note_idle`.
        """
        script_keys = [queue, keys.QUEUED + queue, keys.RESERVED, keys.DUE]
        arguments: list[str | float] = [self._timeout, most, rows, size, worker, versions]
        # The answer is flat: tag, message, tag, message, …
        answer = self._reserve(keys=script_keys, args=arguments)
        return [(tag.decode(), message) for tag, message in zip(*[iter(answer)] * 2, strict=True)]

    def note_idle(self, queue: str, worker: str, versions: str) -> None:
        """Note that a worker is idle, so that the next lone message is handed over to it.

        ``versions``: those that it holds, as model:version, each between blanks.
        """
        self._note_idle(args=[queue, worker, versions])

    def forget_idle(self, queue: str, worker: str) -> None:
        """Stop handing messages over to a worker."""
        self._client.hdel(keys.IDLE + queue, worker)

    def begin(self, queue: str) -> None:
        """Restart the measurement of the drain rate: no worker took messages until now."""
        self._client.hdel(keys.QUEUED + queue, "left")

    def upkeep(self, tags: Iterable[str], queue: str | None = None) -> int:
        """Extend the reservations of ``tags``, and return expired ones to their queues; how many.

        With ``queue``, messages on its lists of other priorities are moved to the queue itself.
        """
        # Stock producers may set a priority; kombu then pushes to a list that no worker watches.
        lists = [queue, *(queue + priority for priority in PRIORITIES)] if queue else []
        arguments: list[str | float] = [self._timeout, *tags]
        return int(self._upkeep(keys=[keys.RESERVED, keys.DUE, *lists], args=arguments))

    def release(self, tags: Iterable[str]) -> None:
        """Give messages back: the next upkeep of any worker returns them to their queues."""
        if due_now := dict.fromkeys(tags, 0):
            # XX: a reservation that another worker has taken over, under a new tag, is not revived.
            self._client.zadd(keys.DUE, due_now, xx=True)

    def defer(self, tag: str, until: float) -> None:
        """Return a message that no worker extends to its queue at ``until`` (Unix seconds)."""
        # XX, as in `release`.
        self._client.zadd(keys.DUE, {tag: until}, xx=True)

    def withdraw(self, tagged_ids: Iterable[tuple[str, str]], *, alone: bool) -> None:
        """Give back interrupted messages, each (tag, id), without charging an attempt.

        ``alone``: each runs alone next.
        """
        if pairs := list(tagged_ids):
            tags, ids = zip(*pairs, strict=True)
            script_keys = [keys.DUE, keys.ATTEMPTS, *map(keys.record, ids)]
            self._withdraw(keys=script_keys, args=[int(alone), *tags, *ids])
