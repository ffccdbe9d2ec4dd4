"""The first half of a request that waits: until it is known what it waits for.

A request that is not plain goes through Flask, which accepts it in a thread, but does not wait.
"""

from dataclasses import dataclass
from functools import partial
from typing import Any

from a2wsgi.asgi_typing import ASGIApp, HTTPScope, Receive, Send

from api.asgi.bodies import BODY_RELEASED
from api.asgi.fast_path import LOOK_UP
from api.asgi.plain import (
    MAX_FAST_BODY_BYTES,
    is_plain_submission,
    key_of,
    looked_up_id,
    preference,
    sticky_of,
)
from api.asgi.protocol import replay_body
from api.callers.current import caller_in
from api.callers.seeing import seen
from api.predictions.routes import ASKED, AwaitedOutcome, Predictions
from tasks.gateway import Gateway
from tasks.ledger.ledger import RecordTooLong
from tasks.ledger.predictions.acceptance import Offer
from tasks.messages import Idempotency, Prediction
from tasks.waiting.wait import Wait
from tasks.waiting.waits import Waits
from telemetry.errors import PredictqError, VersionPaused

SUBMIT_AND_WAIT = "/predict"


@dataclass(frozen=True)
class Entered:
    """A request that is to be answered with an outcome."""

    asked: AwaitedOutcome
    wait: Wait | None
    """None if there is nothing to wait for, or too many wait."""


class Entering:
    """Takes requests to the point from which they only wait."""

    def __init__(
        self,
        predictions: Predictions,
        gateway: Gateway,
        waits: Waits,
        behind: ASGIApp,
        bound: int,
    ) -> None:
        """``behind``: leads to Flask. ``bound``: the greatest body in bytes."""
        self._predictions, self._gateway, self._waits = predictions, gateway, waits
        self._behind, self._longest = behind, min(MAX_FAST_BODY_BYTES, bound)

    async def submitted(self, scope: HTTPScope, receive: Receive, send: Send) -> Entered | None:
        """Accept a submission; None if Flask has answered it.

        Raises the errors of `Gateway.submit`. The body is released when this returns: thousands of
        callers may wait.
        """
        event: Any = await receive()
        body: bytes = event["body"]  # complete, see `BodyReceiver`
        prepared = self._prepared(scope, body)
        if prepared is None:
            return await self._by_flask(scope, replay_body(body, receive), send)
        try:
            return await self._accepted(scope, self._gateway.waited_offer(*prepared))
        except VersionPaused:  # Flask handles the fallback
            return await self._by_flask(scope, replay_body(body, receive), send)

    async def submitted_by_flask(
        self, scope: HTTPScope, receive: Receive, send: Send
    ) -> Entered | None:
        """Have Flask accept a submission; None if it has answered it, too."""
        return await self._by_flask(scope, receive, send)

    async def looked_up(self, scope: HTTPScope, receive: Receive, send: Send) -> Entered | None:
        """Look a prediction up; None if Flask has answered. Raises the errors of a look-up."""
        task_id = looked_up_id(scope, LOOK_UP)
        try:
            record = await self._gateway.look_up_async(task_id) if task_id else None
        except RecordTooLong:  # a thread reads it: parsing it would hold up all other requests
            record = None
        if record is None:
            return await self._by_flask(scope, receive, send)
        asked = self._predictions.asked(seen(caller_in(scope), record), preference(scope))
        return await begin_wait(self._waits, asked)

    def _prepared(
        self, scope: HTTPScope, body: bytes
    ) -> tuple[Prediction, Idempotency | None] | None:
        if not is_plain_submission(scope, self._longest):
            return None
        try:
            return self._predictions.prepare(
                body, key_of(scope), caller_in(scope), partial(sticky_of, scope)
            )
        except PredictqError:  # Flask answers what is wrong
            return None

    async def _accepted(self, scope: HTTPScope, offer: Offer) -> Entered:
        preferred = preference(scope)
        queued = self._predictions.asked(offer.record, preferred, is_submission=True)
        # Before the acceptance: no outcome can come before this process listens.
        wait = await self._waits.begin(offer.record.task_id) if queued.seconds else None
        try:
            accepted = await self._gateway.accept_async(offer)
        except BaseException:
            self._waits.end(wait)
            raise
        if accepted is offer.record:
            return Entered(queued, wait)
        self._waits.end(wait)
        known = self._predictions.asked(accepted, preferred, is_submission=True)
        return await begin_wait(self._waits, known)

    async def _by_flask(self, scope: HTTPScope, receive: Receive, send: Send) -> Entered | None:
        later: list[AwaitedOutcome] = []

        async def sent(event: Any) -> None:
            if not later:
                await send(event)

        asking: Any = {**scope, ASKED: later}
        await self._behind(asking, receive, sent)
        if release := asking.get(BODY_RELEASED):
            release()
        return await begin_wait(self._waits, later[0]) if later else None


async def begin_wait(waits: Waits, asked: AwaitedOutcome) -> Entered:
    """Wait for a prediction that was accepted before, so its outcome may be there already."""
    may_wait = asked.seconds and not asked.accepted.is_terminal
    wait = await waits.begin(asked.accepted.task_id) if may_wait else None
    if wait is not None:
        wait.notify()
    return Entered(asked, wait)
