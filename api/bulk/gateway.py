"""The gateway for many predictions at a time: a window of them in one round trip to Redis."""

import asyncio
import logging
from collections.abc import Mapping, Sequence

import msgspec
import redis

from tasks.callers.caller import Caller
from tasks.gateway import Gateway
from tasks.ledger.predictions.acceptance import Accepted, Offer, Reused
from tasks.record import TERMINAL, Record, State
from telemetry.errors import PredictionNotFound, PredictqError, SubmissionUncertain, Unavailable

log = logging.getLogger(__name__)
WINDOW_LINES = 256
"""Most predictions in one round trip, during which Redis serves no other client."""
MAX_READ_BYTES = 2**18
"""Bytes of records that one round trip reads, unless a single record has more."""
Found = Record | PredictqError
"""A record, or the error of a look-up without one."""


class AcceptedLine(msgspec.Struct, frozen=True):
    """The answer to a line that was accepted."""

    id: str
    status: State
    """`queued`; `succeeded`, if its answer was known; or its status of now, if its idempotency key
    is known."""


Submitted = AcceptedLine | PredictqError
"""The answer to a line that was accepted, or why it was refused."""


class BulkGateway:
    """Submits and looks up windows of predictions. Raises `redis.RedisError` without Redis."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway, self._ledger = gateway, gateway.ledger

    async def submit(self, offers: Sequence[Offer]) -> list[Submitted]:
        """Accept offers, each by itself; returns its answer, or why it was refused.

        A known idempotency key is answered with the earlier prediction.
        Raises `redis.RedisError` if certainly none was accepted.
        """
        if not offers:
            return []
        answers = await self._accepted(offers)
        offered = {offer.record.task_id for offer in offers}
        earlier = [
            task_id for task_id in answers if isinstance(task_id, str) and task_id not in offered
        ]
        known = await self._known(earlier)
        return [
            self._submitted(answer, offer, known)
            for answer, offer in zip(answers, offers, strict=True)
        ]

    async def _accepted(self, offers: Sequence[Offer]) -> list[str | Reused | PredictqError]:
        """The answers to offers, which may be for several queues: a round trip for each."""
        queues: dict[str, list[int]] = {}
        for index, offer in enumerate(offers):
            queues.setdefault(offer.queue, []).append(index)
        if len(queues) == 1:
            return await self._ledger.accept_all_async(offers)
        # Of several queues, one may be reached and another not: no error may hide accepted ones.
        calls = [self._ledger.accept_all_async([offers[i] for i in at]) for at in queues.values()]
        told = await asyncio.gather(*calls, return_exceptions=True)
        answers: dict[int, str | Reused | PredictqError] = {}
        for at, each in zip(queues.values(), told, strict=True):
            found = _refusals(each, len(at)) if isinstance(each, BaseException) else each
            answers |= zip(at, found, strict=True)
        return [answers[index] for index in range(len(offers))]

    async def look_up(self, task_ids: Sequence[str], caller: Caller) -> list[Found]:
        """Look up as many of the ids as `MAX_READ_BYTES` allow, in order; at least one.

        Predictions that the caller does not see are answered as if they did not exist.

        Overdue predictions are settled as expired, as `Gateway.look_up` does.
        """
        records = await self._ledger.records_async(task_ids, MAX_READ_BYTES)
        overdue = [record for record in records if record is not None and record.is_overdue]
        if overdue:  # they share a round trip
            await asyncio.gather(*map(self._ledger.expire_async, overdue))
            records = await self._ledger.records_async(task_ids[: len(records)], MAX_READ_BYTES)
        found = zip(task_ids, records, strict=False)
        return [self._found(task_id, record, caller) for task_id, record in found]

    def _found(self, task_id: str, record: Record | None, caller: Caller) -> Found:
        if record is None:
            return self._gateway.missing(task_id)
        return record if record.is_seen_by(caller) else PredictionNotFound()

    async def still_open(self, task_ids: Sequence[str]) -> list[str]:
        """The ids whose predictions are accepted and have no outcome."""
        states = zip(task_ids, await self._ledger.states(task_ids), strict=True)
        return [task_id for task_id, state in states if state and state not in TERMINAL]

    async def _known(self, task_ids: Sequence[str]) -> dict[str, Submitted]:
        if not task_ids:
            return {}
        try:
            states = await self._ledger.states(task_ids)
        except redis.RedisError as error:
            # They were accepted, so the caller must get their ids and not an error.
            log.warning("the state of repeated submissions cannot be read: %s", error)
            return {}
        return {
            task_id: AcceptedLine(task_id, state) if state else self._gateway.missing(task_id)
            for task_id, state in zip(task_ids, states, strict=True)
        }

    def _submitted(
        self, answer: Accepted | PredictqError, offer: Offer, known: Mapping[str, Submitted]
    ) -> Submitted:
        if isinstance(answer, SubmissionUncertain):
            self._gateway.note_uncertain(offer.record.task_id)
        if isinstance(answer, PredictqError):
            return answer
        if isinstance(answer, Reused):
            return AcceptedLine(answer.task_id, "succeeded")
        return known.get(answer) or AcceptedLine(answer, "queued")


def _refusals(error: BaseException, many: int) -> list[str | Reused | PredictqError]:
    """The answers to predictions that were certainly not accepted; raises any other error."""
    if not isinstance(error, redis.RedisError):
        raise error
    return [Unavailable() for _ in range(many)]
