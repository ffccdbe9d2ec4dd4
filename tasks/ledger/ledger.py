"""What can be asked of Redis about predictions, one round trip each."""

import logging
import time
from collections.abc import Sequence
from typing import Any, cast

import msgspec
import redis
from redis.backoff import NoBackoff
from redis.exceptions import NoScriptError
from redis.retry import Retry

from tasks.ledger import keys, scripts
from tasks.ledger.rounds import Rounds
from tasks.ledger.statistics import Statistics, bucket, parse
from tasks.messages import Idempotency
from tasks.record import CELERY_STATUS, Record, State
from tasks.settings import Settings
from tasks.wire import encode, encode_finite
from telemetry.errors import IdempotencyConflict, QueueFull


def _head(state: State) -> bytes:
    return encode({"status": CELERY_STATUS[state], "state": state})[:-1]


log = logging.getLogger(__name__)
_record = msgspec.json.Decoder(Record)
QUEUED, RUNNING = _head("queued"), _head("running")


class Offer(msgspec.Struct, frozen=True):
    """A prediction for a queue."""

    queue: str
    record: Record
    message: bytes
    rows: int
    idempotency: Idempotency | None = None


class Settled(msgspec.Struct, frozen=True):
    """An outcome, and the message that it settles."""

    record: Record
    tag: str = ""
    """Of the reserved message; empty where it lies on the queue or there is none."""

    @property
    def rows(self) -> int:
        """Rows that were answered."""
        return len(self.record.result) if self.record.state == "succeeded" else 0


def connect(url: str, timeout: float = 0.9) -> redis.Redis:
    """A client that gives up soon: the front end must answer within two seconds without Redis."""
    return redis.Redis.from_url(
        url,
        socket_timeout=timeout,
        socket_connect_timeout=timeout,
        # Once more where a pooled connection has died unnoticed, but not after a timeout.
        retry=Retry(NoBackoff(), 1, supported_errors=(redis.ConnectionError,)),
        health_check_interval=0,
    )


class Ledger:
    """The single owner of what Redis knows of predictions."""

    def __init__(self, client: redis.Redis, settings: Settings) -> None:
        self.client = client
        self._settings = settings
        self._rounds = Rounds(client)
        self._accept = scripts.load(client, "accept")
        self._start = scripts.load(client, "start")
        self._settle = scripts.load(client, "settle")

    def accept(self, offer: Offer) -> str:
        """Write the queued record and push the message; safe to repeat with the same id.

        Gives the id that holds: an earlier one where the idempotency key is known. Raises
        `QueueFull`, or `IdempotencyConflict` where the key came with another payload.
        """
        script_keys, arguments = self._asking(offer)
        return self._understood(self._accept(keys=script_keys, args=arguments), offer)

    async def accept_soon(self, offer: Offer) -> str:
        """The same on an event loop, in a round trip that others share."""
        script_keys, arguments = self._asking(offer)
        command = self._accept.sha, len(script_keys), *script_keys, *arguments
        try:
            answer = await self._rounds.ask("EVALSHA", *command)
        except NoScriptError:  # a new Redis
            await self._rounds.ask("SCRIPT LOAD", self._accept.script)
            answer = await self._rounds.ask("EVALSHA", *command)
        return self._understood(answer, offer)

    def _asking(self, offer: Offer) -> tuple[list[str], list[Any]]:
        queue, task_id = offer.queue, offer.record.task_id
        bounds = self._settings.max_queued, self._settings.max_queued_bytes
        script_keys = [queue, keys.QUEUED + queue, keys.record(task_id)]
        record = encode_finite(offer.record)
        arguments: list[Any] = [record, offer.message, task_id, offer.rows, *bounds]
        if offer.idempotency:
            script_keys.append(keys.IDEMPOTENCY + offer.idempotency.key)
            arguments += [offer.idempotency.fingerprint, self._settings.result_ttl]
        return script_keys, arguments

    def _understood(self, answer: Any, offer: Offer) -> str:
        if answer == b"full":
            most, bytes_ = self._settings.max_queued, self._settings.max_queued_bytes
            raise QueueFull(f"the queue {offer.queue!r} is full: {most} rows or {bytes_} bytes")
        if answer == b"conflict":
            raise IdempotencyConflict
        return cast("bytes", answer).decode()

    def record(self, task_id: str) -> Record | None:
        """The record, or None where there is none, or something else than a record."""
        try:
            return _read(cast("bytes | None", self.client.get(keys.record(task_id))))
        except redis.ResponseError as error:
            _pass_over_foreign(error)
            return None

    async def record_soon(self, task_id: str) -> Record | None:
        """The same on an event loop, in a round trip that others share."""
        try:
            return _read(await self._rounds.ask("GET", keys.record(task_id)))
        except redis.ResponseError as error:
            _pass_over_foreign(error)
            return None

    def start(self, tagged_ids: Sequence[tuple[str, str]]) -> list[int]:
        """Note that a batch is about to be computed; what to do with each (tag, id) of it.

        The number of its attempt from 1; 0 where there is nothing left to do; -1 where it must be
        started alone, since a process died computing it.
        """
        tags, ids = zip(*tagged_ids, strict=True)
        answer: list[int] = self._start(
            keys=[keys.ATTEMPTS, keys.RESERVED, keys.DUE, *map(keys.record, ids)],
            args=[QUEUED, RUNNING, *tags, *ids],
        )
        return answer

    def settle(self, version: str, outcomes: Sequence[Settled]) -> int:
        """Write outcomes of one model:version and drop their messages; how many were the first."""
        ids = [settled.record.task_id for settled in outcomes]
        tags = [settled.tag for settled in outcomes]
        now, statistics = time.time(), keys.STATISTICS + version
        details = [part for settled in outcomes for part in _details(settled, now)]
        return int(
            self._settle(
                keys=[
                    *(keys.RESERVED, keys.DUE, keys.ATTEMPTS, statistics),
                    *map(keys.record, ids),
                ],
                args=[self._settings.result_ttl, QUEUED, RUNNING, *tags, *ids, *details],
            )
        )

    def depths(self, queues: tuple[str, ...]) -> tuple[dict[str, int], int]:
        """Messages waiting per queue, and messages that workers hold."""
        with self.client.pipeline(transaction=False) as pipe:
            for queue in queues:
                pipe.llen(queue)
            pipe.hlen(keys.RESERVED)
            *waiting, reserved = pipe.execute()
        return dict(zip(queues, waiting, strict=True)), reserved

    def statistics(self) -> list[Statistics]:
        """Counts and latencies of every version that has answered anything."""
        found = sorted(self.client.scan_iter(keys.STATISTICS + "*", count=1000))
        with self.client.pipeline(transaction=False) as pipe:
            for key in found:
                pipe.hgetall(key)
            read = pipe.execute()
        return [
            parse(
                key.decode().removeprefix(keys.STATISTICS),
                {k.decode(): v.decode() for k, v in fields.items()},
            )
            for key, fields in zip(found, read, strict=True)
        ]


def _read(text: bytes | None) -> Record | None:
    try:
        return None if text is None else _record.decode(text)
    except msgspec.DecodeError as error:
        log.warning("this is no record: %s", error)
        return None


def _pass_over_foreign(error: redis.ResponseError) -> None:
    """A list or the like in a record's place is no record; any other error is raised."""
    if not str(error).startswith("WRONGTYPE"):
        raise error


def _details(settled: Settled, now: float) -> tuple[bytes, str, int, str, int]:
    record, seconds = settled.record, max(now - settled.record.created_at, 0.0)
    return encode(record), record.state, settled.rows, f"{seconds:.6f}", bucket(seconds)
