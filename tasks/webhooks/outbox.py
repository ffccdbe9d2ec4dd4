"""The events that wait for their delivery, as deliverers take them from Redis."""

from typing import Any, Literal, cast

import msgspec
import redis

from tasks.ledger import keys
from tasks.ledger.dead_letters.letters import WEBHOOK_QUEUE
from tasks.ledger.heads import letter_head
from tasks.ledger.script_constants import dead_letter_bounds
from tasks.ledger.scripts import load_script
from tasks.settings import Settings
from tasks.targets.webhook import EventType

MOST_SENDING = 8
"""Events that one origin is sent at a time, by all deliverers together."""
HOLD_SECONDS = 60
"""Seconds after which another deliverer takes the event of one that has died. Sending takes
less."""
FAILED = "webhook_failed"
"""The code of dead letters of events."""
Became = Literal["delivered", "again", "given_up"]


class WebhookEvent(msgspec.Struct, frozen=True, kw_only=True):
    """An event, as the scripts record it."""

    id: str
    """The ``webhook-id``, which does not change between attempts."""
    type: EventType
    subject: str
    """Id of the prediction or batch job."""
    version: str
    """``model:version``."""
    url: str
    origin: str
    at: str
    """Redis's seconds at the outcome, with all six decimals."""
    traceparent: str = ""
    """Of the span that sent its subject, if that is sampled."""


class Held(msgspec.Struct, frozen=True):
    """An event that a deliverer holds."""

    event: WebhookEvent
    held_until: str
    """Redis's seconds; also what tells this hold from a later one."""
    attempts: int
    """Attempts before this one."""


class WebhookTotals(msgspec.Struct, frozen=True, kw_only=True):
    """Counts of events."""

    webhooks: int
    """Webhooks whose prediction is open, or whose events are not delivered."""
    delivered: int
    given_up: int
    failed_attempts: int
    overdue_seconds: float
    """For how long the oldest event has been due that no deliverer has taken."""


_event = msgspec.json.Decoder(WebhookEvent)


class Outbox:
    """Takes events, and notes what became of them. Raises `redis.RedisError` without Redis."""

    def __init__(self, client: redis.Redis, settings: Settings) -> None:
        self._client = client
        known: dict[str, Any] = {"most_sending": MOST_SENDING, **dead_letter_bounds(settings)}
        self._claim = load_script(client, "webhooks.claim", **known)
        self._finish = load_script(client, "webhooks.finish", **known)

    def claim(self, many: int) -> list[Held]:
        """Up to so many events that are due, held for `HOLD_SECONDS`."""
        taken = cast("list[list[bytes]]", self._claim(args=[many, HOLD_SECONDS]))
        return [
            Held(_event.decode(event), held_until.decode(), int(attempts))
            for _, held_until, event, attempts in taken
        ]

    def finish(self, held: Held, became: Became, wait: float = 0, reason: str = "") -> bool:
        """Note what became of an event; False if its hold has ended, and nothing is noted.

        ``wait``: seconds until the next attempt. ``reason``: of a dead letter.
        """
        event, letter = held.event, b""
        if became == "given_up":
            letter = letter_head(
                id=event.id,
                queue=WEBHOOK_QUEUE,
                model=event.version,
                code=FAILED,
                reason=reason,
                attempts=held.attempts + 1,
                accepted_at=float(event.at),
            )
        told: list[Any] = [event.subject, event.origin, held.held_until, became, wait]
        return bool(self._finish(args=[*told, event.id, letter]))


def webhook_totals(client: redis.Redis) -> WebhookTotals:
    """Counts of events, since Redis was set up."""
    with client.pipeline(transaction=False) as pipe:
        pipe.hlen(keys.WEBHOOKS)
        pipe.hgetall(keys.WEBHOOK_TOTALS)
        pipe.zrange(keys.WEBHOOK_ORIGINS, 0, 0, withscores=True)
        pipe.time()
        webhooks, counts, oldest, (seconds, _) = pipe.execute()
    told = {name.decode(): int(value) for name, value in counts.items()}
    return WebhookTotals(
        webhooks=webhooks,
        delivered=told.get("delivered", 0),
        given_up=told.get("given_up", 0),
        failed_attempts=told.get("again", 0) + told.get("given_up", 0),
        overdue_seconds=max(seconds - oldest[0][1], 0.0) if oldest else 0.0,
    )
