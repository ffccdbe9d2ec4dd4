"""Canaries: predictions of no model, which show that a queue's whole way works."""

import msgspec
import redis

from tasks.ledger import keys

CANARY_MODEL = "canary:0"
"""What they are for, as model:version; no version has this number, so users cannot ask for it."""


class Sighting(msgspec.Struct, frozen=True):
    """The latest canary of a queue that came back."""

    sent_at: float
    """Redis's seconds."""
    seconds: float
    """From there to its outcome."""


def note(client: redis.Redis, queue: str, sighting: Sighting) -> None:
    """One has come back with a success; another outcome proves nothing."""
    client.hset(keys.CANARY_RESULTS, queue, msgspec.json.encode(sighting))


def sightings(client: redis.Redis) -> dict[str, Sighting]:
    """Queue → the latest that came back."""
    noted: dict[bytes, bytes] = client.hgetall(keys.CANARY_RESULTS)  # type: ignore[assignment]  # no async
    return {q.decode(): msgspec.json.decode(text, type=Sighting) for q, text in noted.items()}


def age(sighting: Sighting, now: float) -> float:
    """Seconds since it was sent: more than a few intervals, and the way is blocked."""
    return max(now - sighting.sent_at, 0.0)
