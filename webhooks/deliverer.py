"""The deliverer: takes events that are due, sends them side by side, and notes what became of each.

Any number of deliverers may run. One that is killed loses nothing: the events that it held are sent
again, under the same ids, by itself or another one.
"""

import asyncio
import logging
import time
from pathlib import Path

import redis

from tasks.webhooks.outbox import Held, Outbox
from tasks.webhooks.signing import signatures, webhook_secrets
from telemetry.log_throttle import LogThrottle
from telemetry.tracing.exporter import Exporter
from telemetry.tracing.traceparent import TRACEPARENT
from webhooks.bodies import Bodies
from webhooks.guard import TargetUnreachable
from webhooks.schedule import Next, after
from webhooks.sending import SEND_SECONDS, ReceiverAnswer, Sender
from webhooks.spans import DeliverySpan

log = logging.getLogger(__name__)
MOST_AT_A_TIME = 256
"""Events that one deliverer sends at a time: a receiver with many names that hang takes 8 for each
of them."""
IDLE_PAUSE = 0.2
"""Seconds between two looks for events while there are none."""
OUTAGE_PAUSE = 1.0
AGENT = "predictq-webhooks"


class Deliverer:
    """Delivers events until it is told to stop."""

    def __init__(
        self,
        outbox: Outbox,
        bodies: Bodies,
        sender: Sender,
        home: Path,
        spans: Exporter | None = None,
    ) -> None:
        """``spans``: exports those of traces; None without them."""
        self._spans = spans
        self._outbox, self._bodies, self._sender, self._home = outbox, bodies, sender, home
        self._sending: set[asyncio.Task[None]] = set()
        self._outage = LogThrottle()

    async def run(self, over: asyncio.Event) -> None:
        """Deliver until ``over`` is set; then what is being sent is finished."""
        while not over.is_set():
            pause = await self._take()
            if pause:
                await _either(over, pause)
        if self._sending:
            await asyncio.wait(self._sending, timeout=SEND_SECONDS)

    async def _take(self) -> float:
        """Start to send what is due; returns the seconds to pause before the next look."""
        try:
            free = MOST_AT_A_TIME - len(self._sending)
            held = await asyncio.to_thread(self._outbox.claim, free) if free else []
        except redis.RedisError as error:
            self._tell(error)
            return OUTAGE_PAUSE
        for each in held:
            task = asyncio.create_task(self._deliver(each))
            self._sending.add(task)
            task.add_done_callback(self._sending.discard)
        return 0 if held else IDLE_PAUSE

    async def _deliver(self, held: Held) -> None:
        try:
            result = await self._send(held)
            done = after(result, held.attempts)
            if done.became != "delivered":
                _tell_failure(held, done)
            await asyncio.to_thread(self._outbox.finish, held, *done)
        except redis.RedisError as error:  # sent again once the hold has ended
            self._tell(error)
        except Exception:
            # A defect in one event must not end the others; this one is sent again.
            log.exception("an event cannot be sent", extra=_fields(held))

    async def _send(self, held: Held) -> ReceiverAnswer | TargetUnreachable:
        event = held.event
        body = await asyncio.to_thread(self._bodies.of, event)
        sent_at, secrets = int(time.time()), webhook_secrets(self._home)
        headers = {
            "content-type": "application/json",
            "user-agent": AGENT,
            "webhook-id": event.id,
            "webhook-timestamp": str(sent_at),
            "webhook-signature": signatures(secrets, event.id, sent_at, body),
        }
        span = self._spans and DeliverySpan.of(held)
        if span:
            headers[TRACEPARENT] = span.context.text
        result = await self._posted(event.url, headers, body)
        if span and self._spans:
            self._spans.add([span.ended(held, result)])
        return result

    async def _posted(
        self, url: str, headers: dict[str, str], body: bytes
    ) -> ReceiverAnswer | TargetUnreachable:
        try:
            return await self._sender.post(url, headers, body)
        except TargetUnreachable as error:
            return error

    def _tell(self, error: redis.RedisError) -> None:
        if self._outage.count():
            log.warning("events cannot be delivered without Redis: %s", error)


async def _either(over: asyncio.Event, seconds: float) -> None:
    """Wait until the event is set, or for some time."""
    try:
        await asyncio.wait_for(over.wait(), seconds)
    except TimeoutError:
        return


def _fields(held: Held) -> dict[str, object]:
    # Not the URL: its path or query may hold a secret.
    return {"id": held.event.subject, "webhook_id": held.event.id, "attempt": held.attempts + 1}


def _tell_failure(held: Held, done: Next) -> None:
    what = "given up" if done.became == "given_up" else f"sent again in {done.wait:.0f} s"
    told = "an event was not delivered to %s, and is %s: %s"
    log.warning(told, held.event.origin, what, done.reason, extra=_fields(held))
