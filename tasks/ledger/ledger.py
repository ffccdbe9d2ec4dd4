"""The ledger of predictions: each operation is one round trip to Redis."""

import asyncio
import logging
from collections.abc import Sequence
from typing import Any, cast

import msgspec
import redis
from redis.backoff import NoBackoff
from redis.commands.core import Script
from redis.retry import Retry

from tasks.callers.quotas import NO_QUOTAS, Quotas
from tasks.ledger import keys
from tasks.ledger.predictions.acceptance import (
    CERTAIN,
    Accepted,
    Offer,
    accept_call,
    uncertain,
)
from tasks.ledger.predictions.attempts import (
    Postponement,
    Start,
    postpone_call,
    read_start_answer,
    start_call,
)
from tasks.ledger.predictions.pipeline import Pipeline
from tasks.ledger.predictions.sent import (
    note_unsent,
    read_accept_answers,
    uncertain_if_sent,
)
from tasks.ledger.predictions.settled import Settled
from tasks.ledger.predictions.settlement import expiring, settling
from tasks.ledger.queue.bounds import Bounds
from tasks.ledger.queue.memory_gauge import MemoryGauge
from tasks.ledger.script_constants import ACCEPTING, MAX_PUBLISHED, breaker_limits
from tasks.ledger.scripts import load_script
from tasks.ledger.server.refusals import Pool
from tasks.ledger.server.server import Server
from tasks.ledger.statistics import Statistics, collected
from tasks.record import Record, State
from tasks.settings import Settings
from tasks.time_limits import BACKOFF
from telemetry.errors import PredictqError

log = logging.getLogger(__name__)
_record = msgspec.json.Decoder(Record)
MAX_RECORD_ON_LOOP = MAX_PUBLISHED
"""Longest record, in bytes, that is read on an event loop."""
SHARED_CONNECTIONS = 3
"""Connections beside one per thread: shared round trips, queue snapshots, the subscription."""


def connect(url: str, timeout: float = 1.5, threads: int = 1) -> redis.Redis:
    """A client with short timeouts: the front end must answer within two seconds without Redis.

    It has one connection for each of ``threads``, and `SHARED_CONNECTIONS`; further
    threads take turns.
    """
    pool = Pool.from_url(
        url,
        max_connections=threads + SHARED_CONNECTIONS,
        timeout=timeout,
        socket_timeout=timeout,
        socket_connect_timeout=timeout,
        # Retry once where a pooled connection has died unnoticed, but not after a timeout.
        retry=Retry(NoBackoff(), 1, supported_errors=(redis.ConnectionError,)),
        health_check_interval=0,
    )
    return redis.Redis.from_pool(pool)


class RecordTooLong(Exception):
    """The record is too long to be read on an event loop, where it would delay other requests."""


class Ledger:
    """Reads and writes all that Redis knows of predictions."""

    def __init__(self, client: redis.Redis, settings: Settings) -> None:
        self.client = client
        self._settings = settings
        quotas = Quotas(settings.tenant_queued_rows, settings.tenant_outcome_bytes)
        self.bounds = Bounds(settings.max_queued, settings.max_queued_bytes, quotas)
        self.pipeline = Pipeline(client)
        """Round trips that requests share."""
        self._memory = MemoryGauge(client)
        # Two scripts from one file: most calls reuse nothing, and the functions of reuse.lua would
        # take a tenth of their time.
        accepting = {**ACCEPTING, "visibility_timeout": settings.visibility_timeout}
        unused = ["reuse"]
        if quotas == NO_QUOTAS:
            unused += ["ledger.tenants.storing", "ledger.tenants.quotas"]
        self._accept = load_script(client, "ledger.predictions.accept", *unused, **accepting)
        self._accept_reusing = load_script(client, "ledger.predictions.accept", **accepting)
        self._start = load_script(
            client, "ledger.predictions.start", result_ttl=settings.result_ttl
        )
        self._settle = load_script(client, "ledger.predictions.settle", **breaker_limits(settings))
        self._postpone = load_script(client, "ledger.predictions.postpone")
        self._records = load_script(client, "ledger.predictions.records")
        self._states = load_script(client, "ledger.predictions.states")

    def accept(self, offer: Offer) -> Accepted:
        """Write the queued record and push the message; safe to repeat with the same id.

        Returns the id accepted: an earlier one if the idempotency key is known. Raises `QueueFull`,
        `VersionPaused`, `IdempotencyConflict` if the key came with another payload, or
        `SubmissionUncertain`, with the id, if the connection failed after the request was sent.
        """
        bounds = self._memory.within(self.bounds)
        with uncertain_if_sent(offer):
            answers = self.pipeline.run(*self._accept_call([offer], bounds))
        return _accepted(*read_accept_answers(answers, [offer], bounds))

    async def accept_async(self, offer: Offer) -> Accepted:
        """`accept` on an event loop, in a round trip that concurrent requests share."""
        bounds = self._memory.within(self.bounds)
        call = self._accept_call([offer], bounds)
        with uncertain_if_sent(offer):
            answers = await self.pipeline.run_async(*call)
        return _accepted(*read_accept_answers(answers, [offer], bounds))

    async def accept_all_async(self, offers: Sequence[Offer]) -> list[Accepted | PredictqError]:
        """Accept offers for one queue in one call of the script, each by itself.

        Returns for each what was accepted, or the error that `accept` would raise. All have
        idempotency keys, or none. Raises `redis.RedisError` if certainly none was accepted.
        """
        bounds = self._memory.within(self.bounds)
        call = self._accept_call(offers, bounds)
        try:
            answers = await self.pipeline.run_async(*call)
        except (redis.ConnectionError, redis.TimeoutError) as error:
            note_unsent(offers, error)
            if isinstance(error, CERTAIN):
                raise
            # The script may have run, so the caller gets every id, to look it up.
            return [uncertain(offer.record.task_id) for offer in offers]
        return read_accept_answers(answers, offers, bounds)

    def _accept_call(
        self, offers: Sequence[Offer], bounds: Bounds
    ) -> tuple[Script, list[str], list[Any]]:
        script = self._accept_reusing if any(offer.reuse for offer in offers) else self._accept
        return script, *accept_call(offers, bounds, self._settings.result_ttl)

    def fit(self, server: Server) -> None:
        """Lower the queue's bounds to its share of this server's memory."""
        self.bounds = self.bounds.within(server.maxmemory)

    def record(self, task_id: str) -> Record | None:
        """The record; None if there is none, or the key holds something else."""
        try:
            return read_record(task_id, cast("bytes | None", self.client.get(keys.record(task_id))))
        except redis.ResponseError as error:
            _pass_over_foreign(error)
            return None

    async def record_async(self, task_id: str) -> Record | None:
        """`record` on an event loop, in a shared round trip; raises `RecordTooLong`."""
        try:
            # The end is inclusive: one byte more than allowed tells that the record is longer.
            text = await self.pipeline.ask("GETRANGE", keys.record(task_id), 0, MAX_RECORD_ON_LOOP)
        except redis.ResponseError as error:
            _pass_over_foreign(error)
            return None
        if len(text) > MAX_RECORD_ON_LOOP:
            raise RecordTooLong
        return read_record(task_id, text or None)

    def records(self, task_ids: Sequence[str], most: int) -> list[Record | None]:
        """`records_async` for threads."""
        texts = self._records(keys=[keys.record(task_id) for task_id in task_ids], args=[most])
        return [read_record(*each) for each in zip(task_ids, texts, strict=False)]

    async def records_async(self, task_ids: Sequence[str], most: int) -> list[Record | None]:
        """Records of many ids in one round trip, in order; None as in `record`.

        There are fewer than asked once they take more than ``most`` bytes, but at least one.
        """
        texts = await self.pipeline.run_async(
            self._records, [keys.record(task_id) for task_id in task_ids], [most]
        )
        found = list(zip(task_ids, texts, strict=False))
        # One record alone may be longer than ``most``, and parsing it would hold up the event loop.
        if sum(len(text or b"") for text in texts) > most:
            return await asyncio.to_thread(lambda: [read_record(*each) for each in found])
        return [read_record(*each) for each in found]

    async def states(self, task_ids: Sequence[str]) -> list[State | None]:
        """States of many predictions in one round trip, which reads the heads of records alone.

        None if there is no record.
        """
        record_keys = [keys.record(task_id) for task_id in task_ids]
        states = await self.pipeline.run_async(self._states, record_keys, [])
        return [state and cast("State", state.decode()) for state in states]

    def start(
        self,
        tagged_ids: Sequence[tuple[str, str]],
        deadlines: Sequence[float | None] = (),
        *,
        again: bool = False,
    ) -> list[Start]:
        """Note that a microbatch of (tag, id) is about to start, and say what to do with each.

        Returns for each the number of its attempt from 1, or why it does not start. Deadlines are
        Unix seconds by Redis's clock, or None. ``again``: an earlier call got no answer, so its
        attempts may already be counted.
        """
        script_keys, arguments = start_call(tagged_ids, deadlines, again=again)
        return read_start_answer(self._start(keys=script_keys, args=arguments))

    def settle(self, version: str, outcomes: Sequence[Settled]) -> int:
        """Write outcomes of one model:version and drop their messages; how many were written."""
        script_keys, arguments = settling(version, outcomes, self._settings.result_ttl)
        return int(self._settle(keys=script_keys, args=arguments))

    def expire(self, record: Record) -> None:
        """Settle a prediction as expired, unless it is running or has an outcome."""
        self.pipeline.run(self._settle, *self._expiring(record))

    async def expire_async(self, record: Record) -> None:
        """`expire` on an event loop."""
        await self.pipeline.run_async(self._settle, *self._expiring(record))

    def _expiring(self, record: Record) -> tuple[list[str], list[Any]]:
        return expiring(record, self._settings.result_ttl)

    def postpone(
        self, tagged_ids: Sequence[tuple[str, str]], *, suspect: bool, backoff: float = BACKOFF
    ) -> list[Postponement]:
        """Schedule another attempt for each (tag, id); a ``suspect`` will run alone."""
        script_keys, arguments = postpone_call(
            tagged_ids, suspect=suspect, backoff=backoff, has_records=True
        )
        answer: list[bytes] = self._postpone(keys=script_keys, args=arguments)
        return [cast("Postponement", word.decode()) for word in answer]

    def now(self) -> float:
        """Redis's time in Unix seconds, the one clock that all processes share."""
        seconds, microseconds = self.client.time()
        return seconds + microseconds / 1e6

    def settled_at(self, task_id: str) -> float:
        """Redis's seconds at which an outcome was written, from its remaining time to live."""
        with self.client.pipeline() as pipe:  # a transaction: both are of the same moment
            pipe.time()
            pipe.pttl(keys.record(task_id))
            (seconds, microseconds), left = pipe.execute()
        return float(seconds + microseconds / 1e6 + left / 1e3 - self._settings.result_ttl)

    def depths(self, queues: tuple[str, ...]) -> tuple[dict[str, int], int]:
        """Messages that wait per queue, and messages that workers hold."""
        # Without a transaction: counts of neighbouring moments will do.
        with self.client.pipeline(transaction=False) as pipe:
            for queue in queues:
                pipe.llen(queue)
                pipe.hget(keys.QUEUED + queue, "flowing")
            pipe.hlen(keys.RESERVED)
            *told, reserved = pipe.execute()
        waiting = (own + int(flowing or 0) for own, flowing in zip(*[iter(told)] * 2, strict=True))
        return dict(zip(queues, waiting, strict=True)), reserved

    def statistics(self) -> list[Statistics]:
        """Counts and latencies of every version that has settled predictions."""
        return collected(self.client)


def _accepted(answer: Accepted | PredictqError) -> Accepted:
    if isinstance(answer, PredictqError):
        raise answer
    return answer


def read_record(task_id: str, text: bytes | None) -> Record | None:
    """The record that a text holds; None if it holds none."""
    try:
        return None if text is None else _record.decode(text)
    except msgspec.DecodeError as error:
        # Any producer can choose an id and write its key; that must not fail a look-up.
        log.warning(
            "the value at the key of a record is not a record: %s", error, extra={"id": task_id}
        )
        return None


def _pass_over_foreign(error: redis.ResponseError) -> None:
    """Treat a key of another Redis type as no record; raise any other error."""
    if not str(error).startswith("WRONGTYPE"):
        raise error
