"""The messages that workers hold: taken and noted in one step, kept, given back."""

from collections.abc import Iterable

import redis

from tasks.ledger import keys, scripts
from tasks.ledger.heads import QUEUED_HEAD, RUNNING_HEAD
from tasks.ledger.pauses.pauses import PROBING

PRIORITIES = "\x06\x163", "\x06\x166", "\x06\x169"
"""Appended to the queue by kombu: the lists of messages that are not of the first priority."""


class Reservations:
    """One worker's access to the messages; each call is one round trip."""

    def __init__(self, client: redis.Redis, visibility_timeout: float, result_ttl: int) -> None:
        self._client = client
        self._timeout = visibility_timeout
        libraries = "messages", "pausing"
        self._reserve = scripts.load(client, "reserve", *libraries, **PROBING)
        self._upkeep = scripts.load(client, "upkeep", *libraries, result_ttl=result_ttl, **PROBING)
        self._withdraw = scripts.load(client, "withdraw", "messages")

    def reserve(self, queue: str, most: int, rows: int, size: int) -> list[tuple[str, bytes]]:
        """Take up to so many messages, rows and bytes, the oldest first: tag and message of each.

        The first is taken whatever its size.
        """
        script_keys = [queue, keys.QUEUED + queue, keys.RESERVED, keys.DUE]
        answer = self._reserve(keys=script_keys, args=[self._timeout, most, rows, size])
        return [(tag.decode(), message) for tag, message in zip(*[iter(answer)] * 2, strict=True)]

    def begin(self, queue: str) -> None:
        """A worker starts to take: the time until now tells nothing of the workers' pace."""
        self._client.hdel(keys.QUEUED + queue, "left")

    def upkeep(self, held: Iterable[str], queue: str | None = None) -> int:
        """Keep what is held, by Redis's clock; gives back the work of the dead, and how much.

        Of the queue, if one is named, what a producer gave a priority comes to its end.
        """
        lists = [queue, *(queue + priority for priority in PRIORITIES)] if queue else []
        arguments: list[str | float] = [self._timeout, *held]
        return int(self._upkeep(keys=[keys.RESERVED, keys.DUE, *lists], args=arguments))

    def release(self, tags: Iterable[str]) -> None:
        """Give back: the next upkeep, whoever's, returns these to their queues."""
        if due_now := dict.fromkeys(tags, 0):
            self._client.zadd(keys.DUE, due_now, xx=True)

    def defer(self, tag: str, until: float) -> None:
        """Let one that nobody keeps go back to its queue at this time, in Unix seconds."""
        self._client.zadd(keys.DUE, {tag: until}, xx=True)

    def withdraw(self, tagged_ids: Iterable[tuple[str, str]]) -> None:
        """Give back what was interrupted, each (tag, id), without charging an attempt."""
        if pairs := list(tagged_ids):
            tags, ids = zip(*pairs, strict=True)
            script_keys = [keys.DUE, keys.ATTEMPTS, *map(keys.record, ids)]
            self._withdraw(keys=script_keys, args=[QUEUED_HEAD, RUNNING_HEAD, *tags, *ids])
