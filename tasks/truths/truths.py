"""Adds up, by version and day, how good predictions were; each prediction counts once."""

import time
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import redis

from tasks.ledger import keys
from tasks.ledger.script_constants import COMPARED_SECONDS, MAX_ERRING
from tasks.ledger.scripts import load_script
from tasks.record import Record
from tasks.truths.scoring import BINS, Score, Sums

DAYS = 90
"""Days for which the sums are kept."""


class Calibration(msgspec.Struct, frozen=True, kw_only=True):
    """Rows whose likeliest class had a probability in one part."""

    probability: float
    """Its mean."""
    right: float
    """The share of these rows whose likeliest class came true."""
    rows: int


class Quality(msgspec.Struct, frozen=True, kw_only=True):
    """How good the predictions were; null where there were none of the kind."""

    day: str | None
    """UTC, when the truth was told; null for all days together."""
    rows: int
    accuracy: float | None
    """Share of labels that were right, also of those that are the likeliest by probabilities."""
    log_loss: float | None
    calibration: tuple[Calibration, ...]
    mean_absolute_error: float | None
    root_mean_squared_error: float | None


class Truths:
    """Tells Redis what came true, and reads how good a version is."""

    def __init__(self, client: redis.Redis, result_ttl: int) -> None:
        self._client, self._result_ttl = client, result_ttl
        self._tell = load_script(
            client, "truths.truth", max_erring=MAX_ERRING, compared_seconds=COMPARED_SECONDS
        )

    def tell(self, record: Record, score: Score) -> bool:
        """Count the score of a prediction; False if the truth of it was told before."""
        day = keys.QUALITY + f"{record.reference}:{_day(0)}"
        told: dict[str, Any] = {"sums": score.sums}
        if record.arm and score.is_wrong is not None:
            split = f"{record.model}@{record.alias}"
            told["arm"] = (split, record.version, record.arm.share, record.arm.key, score.is_wrong)
        # The record may live as long again if its time to live is renewed, as by a replay.
        remembered = 2 * self._result_ttl
        arguments: list[Any] = [remembered, DAYS * 86_400, msgspec.json.encode(told)]
        return bool(self._tell(keys=[keys.TRUTH_TOLD + record.task_id, day], args=arguments))

    def quality(self, version: str, days: int) -> list[Quality]:
        """How good ``model:version`` was on each of the last days with truths, then on all."""
        names = [_day(ago) for ago in reversed(range(days))]
        with self._client.pipeline(transaction=False) as pipe:
            for name in names:
                pipe.hgetall(keys.QUALITY + f"{version}:{name}")
            read: list[dict[bytes, bytes]] = pipe.execute()
        found = {name: _sums(fields) for name, fields in zip(names, read, strict=True) if fields}
        total: Sums = {}
        for sums in found.values():
            for what, amount in sums.items():
                total[what] = total.get(what, 0.0) + amount
        return [*(_quality(name, sums) for name, sums in found.items()), _quality(None, total)]


def _day(ago: int) -> str:
    return (datetime.fromtimestamp(time.time(), UTC) - timedelta(days=ago)).date().isoformat()


def _sums(fields: dict[bytes, bytes]) -> Sums:
    return {name.decode(): float(value) for name, value in fields.items()}


def _quality(day: str | None, sums: Sums) -> Quality:
    squares = _mean(sums, "squares", "numbers")
    return Quality(
        day=day,
        rows=int(sums.get("rows", 0)),
        accuracy=_mean(sums, "right", "labels"),
        log_loss=_mean(sums, "log_loss", "probabilities"),
        calibration=tuple(_part(sums, part) for part in range(BINS) if sums.get(f"bin{part}")),
        mean_absolute_error=_mean(sums, "absolute", "numbers"),
        root_mean_squared_error=None if squares is None else squares**0.5,
    )


def _part(sums: Sums, part: int) -> Calibration:
    rows = sums[f"bin{part}"]
    right, probability = sums.get(f"hit{part}", 0.0) / rows, sums[f"sum{part}"] / rows
    return Calibration(probability=probability, right=right, rows=int(rows))


def _mean(sums: Sums, what: str, of: str) -> float | None:
    return sums.get(what, 0.0) / sums[of] if sums.get(of) else None
