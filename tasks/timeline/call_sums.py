"""Sums over the model calls of each version, which pool processes add up in Redis."""

from collections.abc import Mapping, Sequence
from typing import cast

import msgspec
import redis

from tasks.ledger import keys

KEPT_CALLS_SECONDS = 30 * 86_400
"""Seconds after its last call for which the sums of a version are kept. A process may add to them
just after the version was removed."""


class CallSums(msgspec.Struct, frozen=True, array_like=True):
    """Sums over model calls for single predictions; times are in microseconds."""

    calls: int = 0
    requests: int = 0
    rows: int = 0
    queue_us: int = 0
    """Over requests: from acceptance to the call."""
    model_us: int = 0
    """Over calls: in the model."""
    squares: int = 0
    """Over calls: the square of the rows. With `products`, times can be fitted to a line."""
    products: int = 0
    """Over calls: the rows times the microseconds in the model."""

    def fitted(self) -> tuple[float, float] | None:
        """Microseconds of a call, and of each of its rows, by least squares; None if unknown."""
        spread = self.calls * self.squares - self.rows**2
        if not spread:  # all calls had as many rows
            return None
        of_row = (self.calls * self.products - self.rows * self.model_us) / spread
        of_call = (self.model_us - of_row * self.rows) / self.calls
        return (of_call, of_row) if of_call >= 0 and of_row >= 0 else None

    def __add__(self, other: "CallSums") -> "CallSums":
        pairs = zip(msgspec.structs.astuple(self), msgspec.structs.astuple(other), strict=True)
        return CallSums(*(a + b for a, b in pairs))

    def __sub__(self, other: "CallSums") -> "CallSums":
        pairs = zip(msgspec.structs.astuple(self), msgspec.structs.astuple(other), strict=True)
        return CallSums(*(max(a - b, 0) for a, b in pairs))


def add_calls(client: redis.Redis, sums: Mapping[str, CallSums]) -> None:
    """Add to what was summed. ``sums``: by model:version."""
    with client.pipeline(transaction=False) as pipe:
        for version, added in sums.items():
            for field, amount in msgspec.structs.asdict(added).items():
                pipe.hincrby(keys.CALLS + version, field, amount)
            pipe.expire(keys.CALLS + version, KEPT_CALLS_SECONDS)
        pipe.execute()


def read_calls(client: redis.Redis, versions: Sequence[str]) -> list[CallSums]:
    """The sums of each of these, as model:version, since the ledger began."""
    with client.pipeline(transaction=False) as pipe:
        for version in versions:
            pipe.hgetall(keys.CALLS + version)
        found = cast("list[dict[bytes, bytes]]", pipe.execute())
    return [CallSums(**{k.decode(): int(v) for k, v in each.items()}) for each in found]
