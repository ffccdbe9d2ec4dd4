"""The messages that workers hold: taken and noted in one step, kept, given back, put aside."""

from collections.abc import Iterable
from itertools import chain
from typing import cast

import redis

from tasks.ledger import keys, scripts
from tasks.wire import encode


class Reservations:
    """One worker's access to the messages; each call is one round trip."""

    def __init__(self, client: redis.Redis, visibility_timeout: float) -> None:
        self._client = client
        self._timeout = visibility_timeout
        self._reserve = scripts.load(client, "reserve")
        self._upkeep = scripts.load(client, "upkeep")
        self._withdraw = scripts.load(client, "withdraw")

    def reserve(self, queue: str, most: int, rows: int, size: int) -> list[tuple[str, bytes]]:
        """Take up to so many messages, rows and bytes, the oldest first: tag and message of each.

        The first is taken whatever its size.
        """
        script_keys = [queue, keys.QUEUED + queue, keys.RESERVED, keys.DUE]
        answer = self._reserve(keys=script_keys, args=[self._timeout, most, rows, size])
        return [(tag.decode(), message) for tag, message in zip(*[iter(answer)] * 2, strict=True)]

    def upkeep(self, held: Iterable[str]) -> int:
        """Keep what is held, by Redis's clock; gives back the work of the dead, and how much."""
        arguments: list[str | float] = [self._timeout, keys.QUEUED, *held]
        return int(self._upkeep(keys=[keys.RESERVED, keys.DUE], args=arguments))

    def release(self, tags: Iterable[str]) -> None:
        """Give back: the next upkeep, whoever's, returns these to their queues."""
        if due_now := dict.fromkeys(tags, 0):
            self._client.zadd(keys.DUE, due_now, xx=True)

    def withdraw(self, tagged_ids: Iterable[tuple[str, str]]) -> None:
        """Give back what was interrupted, each (tag, id), without charging an attempt."""
        if pairs := list(tagged_ids):
            self._withdraw(keys=[keys.DUE, keys.ATTEMPTS], args=[*chain(*zip(*pairs, strict=True))])

    def put_aside(self, tag: str, reason: str) -> None:
        """Bury a message that is known by its tag alone."""
        if (message := cast("bytes | None", self._client.hget(keys.RESERVED, tag))) is not None:
            self.bury(tag, message, reason)

    def bury(self, tag: str, message: bytes, reason: str) -> None:
        """Put a message aside, whole, that nobody can read."""
        whole = message.decode(errors="backslashreplace")
        letter = encode({"tag": tag, "reason": reason, "message": whole})
        with self._client.pipeline() as pipe:
            pipe.zrem(keys.DUE, tag)
            pipe.hdel(keys.RESERVED, tag)
            pipe.lpush(keys.DEAD_LETTERS, letter)
            pipe.execute()
