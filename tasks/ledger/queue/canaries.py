"""Canaries: predictions without a model, which show that a queue works from end to end."""

import msgspec
import redis

from tasks.ledger import keys

CANARY_MODEL = "canary:0"
"""Their model:version. Real versions start at 1, so users cannot ask for it."""


class Sighting(msgspec.Struct, frozen=True):
    """The latest canary of a queue that succeeded."""

    sent_at: float
    """Unix seconds by Redis's clock."""
    seconds: float
    """Seconds from submission to outcome."""


def note_canary(client: redis.Redis, queue: str, sighting: Sighting) -> None:
    """Store a canary that succeeded; other outcomes prove nothing."""
    client.hset(keys.CANARY_RESULTS, queue, msgspec.json.encode(sighting))


def sightings(client: redis.Redis) -> dict[str, Sighting]:
    """Queue → its latest successful canary."""
    noted: dict[bytes, bytes] = client.hgetall(keys.CANARY_RESULTS)  # type: ignore[assignment]  # no async
    return {q.decode(): msgspec.json.decode(text, type=Sighting) for q, text in noted.items()}


def age(sighting: Sighting, now: float) -> float:
    """Seconds since the canary was sent; more than a few intervals mean a blocked queue."""
    return max(now - sighting.sent_at, 0.0)
