"""The second half of a request that waits: from its acceptance to its answer."""

import asyncio
import logging
from typing import NamedTuple

import redis
from a2wsgi.asgi_typing import Receive, Send
from flask import Response

from api.asgi.protocol import send_response
from api.limits.send_budget import SendBudget
from api.predictions.routes import AwaitedOutcome, Predictions
from api.waiting.entering import Entered, begin_wait
from tasks.gateway import Gateway
from tasks.ledger.ledger import RecordTooLong
from tasks.record import Record
from tasks.waiting.wait import Wait
from tasks.waiting.waits import Waits
from telemetry.errors import Busy

log = logging.getLogger(__name__)
WATCH_AFTER = 1.0
"""Seconds after which it is noticed that a caller has left: most waits are shorter."""


class _Ended(NamedTuple):
    """The end of a wait."""

    record: Record
    waited: bool = True
    """Whether it could wait."""
    is_long: bool = False
    """Whether a thread read a record, and so writes the answer, too."""


class Answering:
    """Waits for outcomes and sends answers."""

    def __init__(
        self, predictions: Predictions, gateway: Gateway, waits: Waits, sending: SendBudget
    ) -> None:
        self._predictions, self._gateway = predictions, gateway
        self._waits, self._sending = waits, sending

    async def answer(self, entered: Entered, receive: Receive, send: Send) -> int:
        """Wait, and send the answer; returns its status.

        Raises the errors of `Gateway.look_up` if the prediction is lost meanwhile, and `Busy` if
        the outcome of an earlier prediction is too large to be sent now.
        """
        entered, ended = await self._ended(entered, receive)
        answer = await self._told(entered.asked, ended)
        try:
            with self._sending.holding(len(answer.get_data())):
                return await _sent(answer, send)
        except Busy:
            asked = entered.asked
            # The caller must learn the id, unless it can repeat the request.
            if not asked.is_submission or asked.accepted.is_terminal:
                raise
            answer = self._predictions.answer(asked, asked.accepted, waited=False)
        return await _sent(answer, send)

    async def _ended(self, entered: Entered, receive: Receive) -> tuple[Entered, _Ended]:
        """The last of the outcomes that the request needs, or the first that is no success."""
        is_long = False
        while True:
            try:
                ended = await self._waited(entered, receive)
            finally:
                self._waits.end(entered.wait)
            is_long |= ended.is_long
            following = entered.asked.following(ended.record)
            if following is None:
                return entered, ended._replace(is_long=is_long)
            entered = await begin_wait(self._waits, following)

    async def _waited(self, entered: Entered, receive: Receive) -> _Ended:
        asked, wait = entered.asked, entered.wait
        # Without a wait there may be an outcome, no preference to wait, or too many that wait.
        if wait is None:
            return _Ended(asked.accepted, waited=asked.accepted.is_terminal or not asked.seconds)
        try:
            return _Ended(await _outcome(asked, wait, receive))
        except RecordTooLong:  # a thread reads it: parsing it would hold up all other requests
            record = await asyncio.to_thread(self._gateway.look_up, wait.task_id)
            return _Ended(record, is_long=True)
        except redis.RedisError as error:
            # The prediction was accepted, so the caller must get its id and not an error.
            log.warning("could not wait: %s", error, extra={"id": wait.task_id})
            return _Ended(asked.accepted, waited=False)

    async def _told(self, asked: AwaitedOutcome, ended: _Ended) -> Response:
        if not ended.is_long:
            await self._predictions.freshen_async(ended.record)
        if ended.is_long or asked.arrow:  # to make columns of it would hold up all other requests
            return await asyncio.to_thread(
                self._predictions.answer, asked, ended.record, waited=ended.waited
            )
        return self._predictions.answer(asked, ended.record, waited=ended.waited)


async def _outcome(asked: AwaitedOutcome, wait: Wait, receive: Receive) -> Record:
    # In two parts, so that a short wait needs no task that watches the connection.
    quick = min(asked.seconds, WATCH_AFTER)
    record = await wait.outcome(asked.accepted, quick)
    if record.is_terminal or wait.is_over or quick == asked.seconds:
        return record
    watch = asyncio.ensure_future(_end_on_disconnect(receive, wait))
    try:
        return await wait.outcome(record, asked.seconds - quick)
    finally:
        watch.cancel()


async def _end_on_disconnect(receive: Receive, wait: Wait) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
    wait.end()


async def _sent(answer: Response, send: Send) -> int:
    try:
        await send_response(answer, send)
    except TimeoutError as error:
        log.info("sending an answer was abandoned: %r", error)
    return answer.status_code
