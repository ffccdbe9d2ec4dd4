"""Sends copies for shadows to the workers of batch jobs, and adds up what was compared."""

import math
import time
import uuid
from collections.abc import Sequence
from typing import Any, cast

import msgspec
import redis

from tasks.jobs.messages import BULK
from tasks.ledger import keys
from tasks.ledger.scripts import load_script
from tasks.messages import PREDICT_TASK, CopyOf, Prediction, envelope

MAX_WAITING = 100
"""Messages on the queue of batch jobs from which on no copy is put there."""
MAX_COPY_BYTES = 2**18
"""Longest message of a copy."""
COPY_SECONDS = 60.0
"""Seconds for which a copy may wait; then it expires."""
COMPARED_KEPT = 30 * 86_400
"""Seconds after its last comparison for which what was compared is kept."""
MAX_EXAMPLES = 20
_STEP = math.log(1.05)


class Disagreement(msgspec.Struct, frozen=True):
    """A row that two versions answered otherwise."""

    row: list[Any]
    """Its values, in the order of the columns; cut after 100."""
    method: str
    stable: Any
    """The answer that the caller got."""
    shadow: Any
    """The answer of the shadow; null if it failed."""


class Compared(msgspec.Struct, frozen=True, kw_only=True):
    """The counts of comparisons so far, or of one copy."""

    rows: int = 0
    disagreed: int = 0
    """Rows whose answers differ, or that the shadow failed for."""
    failed: int = 0
    """Rows that the shadow failed for."""
    dropped: int = 0
    """Copies that were not made, as too much waited."""


class Shadows:
    """The copies and comparisons of all shadows."""

    def __init__(self, client: redis.Redis) -> None:
        self._client = client
        self._send = load_script(client, "shadows.send")

    def send(self, copies: Sequence[Prediction]) -> None:
        """Put copies on the queue of batch jobs; none is kept beyond `MAX_WAITING`."""
        messages = [(c, envelope(PREDICT_TASK, str(uuid.uuid4()), BULK, c)) for c in copies]
        # The short ones first: the script drops the last ones.
        messages.sort(key=lambda each: len(each[1]) > MAX_COPY_BYTES)
        fitting = [each for each in messages if len(each[1]) <= MAX_COPY_BYTES]
        told = [part for copy, message in fitting for part in (len(copy.features), message)]
        sent = int(self._send(keys=[BULK, keys.QUEUED + BULK], args=[MAX_WAITING, *told]))
        for copy, _ in messages[sent:]:
            if copy.copy_of is not None:
                key = _key(copy.copy_of.split, copy.copy_of.since)
                self._client.hincrby(key, "dropped", 1)
                self._client.expire(key, COMPARED_KEPT)

    def add(self, copy: CopyOf, compared: Compared, examples: Sequence[Disagreement]) -> None:
        """Add up what was compared of one copy, and keep its examples, the newest ones."""
        key = _key(copy.split, copy.since)
        with self._client.pipeline(transaction=False) as pipe:
            for name in "rows", "disagreed", "failed":
                pipe.hincrby(key, name, getattr(compared, name))
            for example in examples:
                pipe.lpush(f"{key}:examples", msgspec.json.encode(example))
            pipe.ltrim(f"{key}:examples", 0, MAX_EXAMPLES - 1)
            for each in key, f"{key}:examples":
                pipe.expire(each, COMPARED_KEPT)
            rows, disagreed, *_ = pipe.execute()
        # A point for each twentieth more: their number grows with the logarithm of the rows.
        if _steps(rows) > _steps(rows - compared.rows):
            self._client.rpush(f"{key}:path", msgspec.json.encode((rows, disagreed)))
            self._client.expire(f"{key}:path", COMPARED_KEPT)

    def read(self, split: str, since: int) -> Compared:
        """The counts of comparisons of ``model@alias`` since its shadow began."""
        found = cast("dict[bytes, bytes]", self._client.hgetall(_key(split, since)))
        return Compared(**{name.decode(): int(value) for name, value in found.items()})

    def path(self, split: str, since: int) -> list[tuple[int, int]]:
        """Rows, and how many of them disagreed, as they grew."""
        found = cast("list[bytes]", self._client.lrange(f"{_key(split, since)}:path", 0, -1))
        return sorted(msgspec.json.decode(point, type=tuple[int, int]) for point in found)

    def examples(self, split: str, since: int) -> list[Disagreement]:
        """The newest disagreements."""
        found = self._client.lrange(f"{_key(split, since)}:examples", 0, -1)
        return [msgspec.json.decode(each, type=Disagreement) for each in cast("list[bytes]", found)]


def deadline() -> float:
    """Until when a copy that is made now may wait."""
    return time.time() + COPY_SECONDS


def _key(split: str, since: int) -> str:
    return f"{keys.SHADOWED}{split}:{since}"


def _steps(rows: int) -> int:
    return int(math.log(max(rows, 1)) / _STEP)
