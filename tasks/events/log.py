"""The stream of events in Redis: it is followed, and read from a position on."""

import re
from typing import Any

import msgspec

from tasks.ledger import keys
from tasks.ledger.ledger import Ledger
from tasks.ledger.scripts import load_script

FOLLOWED_SECONDS = 60
"""Seconds for which outcomes are written to the stream after it was last followed. A caller that
reconnects within this time misses nothing."""
PAGE = 256
"""Events that are read at a time."""
_position = re.compile(r"\d{1,15}-\d{1,15}")


class Event(msgspec.Struct, frozen=True):
    """An event: a prediction has an outcome."""

    position: str
    """Id of the event in the stream."""
    id: str
    status: str
    version: str
    """``model:version``."""


class EventPage(msgspec.Struct, frozen=True):
    """Events that follow a position, and the position after them."""

    events: list[Event]
    position: str
    is_last: bool
    """Whether there are no further events now."""


class EventLog:
    """Reads the stream, on an event loop. Raises `redis.RedisError` without Redis."""

    def __init__(self, ledger: Ledger) -> None:
        self._pipeline = ledger.pipeline
        self._follow = load_script(ledger.client, "events.follow")

    async def follow(self) -> str:
        """Have outcomes written for `FOLLOWED_SECONDS`; returns the position of the last event."""
        names = [keys.FOLLOWED, keys.EVENTS]
        last: bytes = await self._pipeline.run_async(self._follow, names, [FOLLOWED_SECONDS])
        return last.decode()

    async def read(self, after: str) -> EventPage | None:
        """The next events after a position; None if events between may be missing."""
        if not _position.fullmatch(after):
            return None
        # With the one at the position itself: if that is gone, others may be.
        entries = await self._pipeline.ask("XRANGE", keys.EVENTS, after, "+", "COUNT", PAGE + 1)
        if not entries or entries[0][0] != after.encode():
            return None
        events = [event for event in map(_event, entries[1:]) if event]
        return EventPage(events, entries[-1][0].decode(), len(entries) <= PAGE)


def _event(entry: Any) -> Event | None:
    """The event of an entry; None for one that only marks the start."""
    position, fields = entry
    if b"id" not in fields:
        return None
    # Any producer can choose an id, and so write bytes that are no text.
    told = [fields[name].decode("utf-8", "replace") for name in (b"id", b"status", b"version")]
    return Event(position.decode(), *told)
