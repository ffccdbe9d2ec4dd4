"""Keeps and reads the minutes, in Redis."""

from typing import cast

import msgspec
import redis

from tasks.ledger import keys
from tasks.timeline.minute import CounterTotals, Minute

KEPT_MINUTES = 3 * 24 * 60
"""Minutes that are kept."""
MINUTE_SECONDS = 60
_minutes = msgspec.msgpack.Decoder(Minute)
_totals = msgspec.msgpack.Decoder(CounterTotals)


class Timeline:
    """Every method raises `redis.RedisError`."""

    def __init__(self, client: redis.Redis) -> None:
        self._client = client

    def claim(self) -> bool:
        """Whether the caller is to record a minute now: one is, every minute."""
        claim = keys.TIMELINE_CLAIM
        # A little less than a minute: the claimer comes again a minute later.
        return bool(self._client.set(claim, 1, nx=True, px=MINUTE_SECONDS * 1000 - 500))

    def totals(self) -> CounterTotals | None:
        """The totals of the latest recording; None before the first one."""
        found = cast("bytes | None", self._client.get(keys.TIMELINE_TOTALS))
        return _totals.decode(found) if found else None

    def write(self, totals: CounterTotals, minute: Minute | None) -> None:
        """Keep a minute, and the totals at its end; in one step."""
        with self._client.pipeline(transaction=True) as pipe:
            if minute is not None:
                pipe.rpush(keys.TIMELINE, msgspec.msgpack.encode(minute))
                pipe.ltrim(keys.TIMELINE, -KEPT_MINUTES, -1)
            pipe.set(keys.TIMELINE_TOTALS, msgspec.msgpack.encode(totals))
            pipe.execute()

    def minutes(self, since: float, until: float) -> list[Minute]:
        """Those that ended after ``since``, and not after ``until``; Unix seconds."""
        found = cast("list[bytes]", self._client.lrange(keys.TIMELINE, 0, -1))
        return [m for m in map(_minutes.decode, found) if since < m.at <= until]
