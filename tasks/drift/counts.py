"""The counts of rows of each version by hour, summed over all workers."""

import struct
import time
from collections.abc import Callable, Mapping
from typing import Any, cast

import msgspec
import redis

from tasks.ledger import keys

KEPT_HOURS = 7 * 24
"""Hours for which counts are kept."""
_HOUR = 3600
_KEPT_SECONDS = (KEPT_HOURS + 1) * _HOUR


class HourCounts(msgspec.Struct, frozen=True):
    """The counts of one hour."""

    hour: int
    """Its first Unix second."""
    counts: tuple[int, ...]


class DriftCounts:
    """Adds and reads counts. Those of an hour are one string of numbers of 32 bits."""

    def __init__(self, client: redis.Redis, clock: Callable[[], float] = time.time) -> None:
        self._client, self._clock = client, clock

    def add(self, version: str, digest: str, counts: Mapping[int, int]) -> None:
        """Add counts by their place to those of this hour. ``digest``: of the baseline."""
        key = _key(version, digest, self._hour())
        with self._client.pipeline(transaction=False) as pipe:
            # Beyond its greatest value a number stays there, instead of beginning anew.
            command: list[Any] = ["BITFIELD", key, "OVERFLOW", "SAT"]
            for place, amount in counts.items():
                command += ["INCRBY", "u32", f"#{place}", amount]
            pipe.execute_command(*command)  # type: ignore[no-untyped-call]  # no type there
            pipe.expire(key, _KEPT_SECONDS)
            pipe.execute()

    def read(self, version: str, digest: str, size: int, hours: int) -> list[HourCounts]:
        """The last hours that have counts, this one included, oldest first; each of ``size``."""
        wanted = [self._hour() - ago * _HOUR for ago in reversed(range(hours))]
        found = self._client.mget([_key(version, digest, hour) for hour in wanted])
        texts = zip(wanted, cast("list[bytes | None]", found), strict=True)
        return [HourCounts(hour, _numbers(text, size)) for hour, text in texts if text]

    def _hour(self) -> int:
        return int(self._clock()) // _HOUR * _HOUR


def _key(version: str, digest: str, hour: int) -> str:
    return f"{keys.DRIFT}{version}:{digest}:{hour}"


def _numbers(text: bytes, size: int) -> tuple[int, ...]:
    # Redis makes the string as long as its last count needs.
    return struct.unpack(f">{size}I", text[: 4 * size].ljust(4 * size, b"\0"))
