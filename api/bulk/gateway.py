"""The gateway for many predictions at a time: a window of them in one round trip to Redis."""

import logging
from collections.abc import Sequence

import msgspec
import redis

from tasks.gateway import Gateway
from tasks.ledger.predictions.acceptance import Offer
from tasks.record import Record
from telemetry.errors import PredictqError, SubmissionUncertain

log = logging.getLogger(__name__)
WINDOW_LINES = 256
"""Most predictions in one round trip: Redis serves no one else meanwhile."""
MAX_READ_BYTES = 2**18
"""Bytes of records that one round trip reads, unless a single record has more."""
Found = Record | PredictqError
"""A record, or why there is none."""


class BulkGateway:
    """Submits and looks up windows of predictions. Raises `redis.RedisError` without Redis."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway, self._ledger = gateway, gateway.ledger

    async def submit(self, offers: Sequence[Offer]) -> list[Found]:
        """Accept offers, each by itself; returns the record of each, or why it was refused.

        The record of a known idempotency key is that of the earlier prediction, as it is now.
        Raises `redis.RedisError` if certainly none was accepted.
        """
        if not offers:
            return []
        answers = await self._ledger.accept_all_async(offers)
        own = {offer.record.task_id for offer in offers}
        earlier = [
            task_id for task_id in answers if isinstance(task_id, str) and task_id not in own
        ]
        known = await self._known(earlier)
        return [
            self._submitted(answer, offer, known)
            for answer, offer in zip(answers, offers, strict=True)
        ]

    async def look_up(self, task_ids: Sequence[str]) -> list[Found]:
        """Look up as many of the ids as `MAX_READ_BYTES` allow, in order; at least one."""
        records = await self._ledger.records_async(task_ids, MAX_READ_BYTES)
        found = zip(task_ids, records, strict=False)
        return [await self._found(task_id, record) for task_id, record in found]

    async def still_open(self, task_ids: Sequence[str]) -> list[str]:
        """Those of the ids that are accepted and have no outcome."""
        are_open = await self._ledger.are_open(task_ids)
        return [task_id for task_id, is_open in zip(task_ids, are_open, strict=True) if is_open]

    async def _known(self, task_ids: Sequence[str]) -> dict[str, Found]:
        found: list[Found] = []
        try:
            while len(found) < len(task_ids):
                found += await self.look_up(task_ids[len(found) :])
        except redis.RedisError as error:
            # They were accepted, so the caller must get their ids and not an error.
            log.warning("the state of repeated submissions cannot be read: %s", error)
        return dict(zip(task_ids, found, strict=False))

    async def _found(self, task_id: str, record: Record | None) -> Found:
        try:
            if record is not None and record.is_overdue:
                return await self._gateway.look_up_async(task_id)
            return self._gateway.found(task_id, record)
        except PredictqError as error:
            return error

    def _submitted(
        self, answer: str | PredictqError, offer: Offer, known: dict[str, Found]
    ) -> Found:
        if isinstance(answer, SubmissionUncertain):
            self._gateway.note_uncertain(offer.record.task_id)
        if isinstance(answer, PredictqError):
            return answer
        return known.get(answer) or msgspec.structs.replace(offer.record, task_id=answer)
