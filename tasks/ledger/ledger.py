"""What can be asked of Redis about predictions, one round trip each."""

import logging
import time
from collections.abc import Sequence
from typing import Any, cast

import msgspec
import redis
from redis.backoff import NoBackoff
from redis.commands.core import Script
from redis.exceptions import NoScriptError
from redis.retry import Retry

from tasks.clocks import BACKOFF, MAX_ATTEMPTS
from tasks.ledger import keys, scripts
from tasks.ledger.canaries import CANARY
from tasks.ledger.letters import head
from tasks.ledger.pauses import PROBING, breaker, refusal
from tasks.ledger.rounds import Rounds, Unsent
from tasks.ledger.statistics import Statistics, bucket, parse
from tasks.messages import Idempotency
from tasks.record import CELERY_STATUS, Record, State
from tasks.settings import Settings
from tasks.wire import encode, encode_finite
from telemetry.errors import IdempotencyConflict, QueueFull, SubmissionUncertain, WorkerLost


def _head(state: State) -> bytes:
    return encode({"status": CELERY_STATUS[state], "state": state})[:-1]


log = logging.getLogger(__name__)
UNKNOWN_RETRY = 10
"""Seconds after which to submit again where nothing is known of the workers' pace."""
LONGEST_RETRY = 3600
_record = msgspec.json.Decoder(Record)
QUEUED, RUNNING, RETRYING = _head("queued"), _head("running"), _head("retrying")
OPEN = (QUEUED, RUNNING, RETRYING)
"""How records begin that have no outcome."""
WAITING = (QUEUED, QUEUED, RETRYING)
"""Those that nobody computes."""
CERTAIN = (Unsent, redis.BusyLoadingError)
"""Errors after which Redis has certainly not done what it was asked."""


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
    dead_after: int = 0
    """Attempts after which its message becomes a dead letter; 0 where it does not."""

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
        self._accept = scripts.load(client, "accept", "messages", "pausing", **PROBING)
        self._start = scripts.load(client, "start")
        libraries = "messages", "pausing", "breaking", "burying"
        self._settle = scripts.load(client, "settle", *libraries, **breaker(settings))
        self._postpone = scripts.load(client, "postpone", "messages")

    def accept(self, offer: Offer) -> str:
        """Write the queued record and push the message; safe to repeat with the same id.

        Gives the id that holds: an earlier one where the idempotency key is known. Raises
        `QueueFull`, `VersionPaused`, `IdempotencyConflict` where the key came with another payload,
        or `SubmissionUncertain`, with the id, where Redis fell silent after it was asked.
        """
        command = _call(self._accept, *self._asking(offer))
        try:
            answer = self._run(self._accept, command)
        except (redis.ConnectionError, redis.TimeoutError) as error:
            if isinstance(error, CERTAIN):
                raise
            raise _uncertain(offer) from error
        return self._understood(answer, offer)

    async def accept_soon(self, offer: Offer) -> str:
        """The same on an event loop, in a round trip that others share."""
        command = _call(self._accept, *self._asking(offer))
        try:
            answer = await self._run_soon(self._accept, command)
        except (redis.ConnectionError, redis.TimeoutError) as error:
            if isinstance(error, CERTAIN):
                raise
            raise _uncertain(offer) from error
        return self._understood(answer, offer)

    def _run(self, script: Script, command: tuple[Any, ...]) -> Any:
        try:
            return self._rounds.ask_now(*command)
        except NoScriptError:  # a new Redis
            self._rounds.ask_now("SCRIPT LOAD", script.script)
            return self._rounds.ask_now(*command)

    async def _run_soon(self, script: Script, command: tuple[Any, ...]) -> Any:
        try:
            return await self._rounds.ask(*command)
        except NoScriptError:  # a new Redis
            await self._rounds.ask("SCRIPT LOAD", script.script)
            return await self._rounds.ask(*command)

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
        if answer.startswith(b"full"):
            most, bytes_ = self._settings.max_queued, self._settings.max_queued_bytes
            detail = f"the queue {offer.queue!r} is full: {most} rows or {bytes_} bytes"
            raise QueueFull(detail, retry_after=_retry_after(answer))
        if answer == b"conflict":
            raise IdempotencyConflict
        if answer.startswith(b"paused "):
            raise refusal(offer.record.reference, answer)
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
            args=[*OPEN, *tags, *ids],
        )
        return answer

    def settle(self, version: str, outcomes: Sequence[Settled]) -> int:
        """Write outcomes of one model:version and drop their messages; how many were the first."""
        script_keys, arguments = self._settling(OPEN, version, outcomes)
        return int(self._settle(keys=script_keys, args=arguments))

    def expire(self, record: Record) -> None:
        """Settle one as expired, unless somebody computes it by now or it has its outcome."""
        self._run(self._settle, self._expiring(record))

    async def expire_soon(self, record: Record) -> None:
        """The same on an event loop."""
        await self._run_soon(self._settle, self._expiring(record))

    def _expiring(self, record: Record) -> tuple[Any, ...]:
        outcome = Settled(record.expired())
        return _call(self._settle, *self._settling(WAITING, record.reference, [outcome]))

    def postpone(self, tagged_ids: Sequence[tuple[str, str]], *, suspect: bool) -> list[str]:
        """Let each (tag, id) be tried again a while after its attempt, with company or alone.

        Gives for each "postponed"; "last" where that was its last attempt, and nothing was done;
        "gone" where it has its outcome, or is not ours any more.
        """
        tags, ids = zip(*tagged_ids, strict=True)
        answer: list[bytes] = self._postpone(
            keys=[keys.RESERVED, keys.DUE, keys.ATTEMPTS, *map(keys.record, ids)],
            args=[*OPEN, BACKOFF, MAX_ATTEMPTS, int(suspect), *tags, *ids],
        )
        return [word.decode() for word in answer]

    def _settling(
        self, open_heads: tuple[bytes, ...], version: str, outcomes: Sequence[Settled]
    ) -> tuple[list[str], list[Any]]:
        ids = [settled.record.task_id for settled in outcomes]
        tags = [settled.tag for settled in outcomes]
        now, statistics = time.time(), keys.STATISTICS + version
        details: list[Any] = [part for settled in outcomes for part in _details(settled, now)]
        details += [
            part for at, s in enumerate(outcomes, 1) if s.dead_after for part in _dead(at, s)
        ]
        return (
            [keys.RESERVED, keys.DUE, keys.ATTEMPTS, statistics, *map(keys.record, ids)],
            [self._settings.result_ttl, *open_heads, *tags, *ids, *details],
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
        canary = (keys.STATISTICS + CANARY).encode()
        found = sorted({*self.client.scan_iter(keys.STATISTICS + "*", count=1000)} - {canary})
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


def _call(script: Script, script_keys: list[str], arguments: list[Any]) -> tuple[Any, ...]:
    return "EVALSHA", script.sha, len(script_keys), *script_keys, *arguments


def _uncertain(offer: Offer) -> SubmissionUncertain:
    task_id = offer.record.task_id
    return SubmissionUncertain(
        f"the broker fell silent: {task_id} may have been accepted or not; look it up, "
        "or submit again with the same Idempotency-Key",
        id=task_id,
    )


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


def _retry_after(refusal: bytes) -> int:
    """Seconds until there is room, by the workers' pace."""
    _, _, seconds = refusal.partition(b" ")
    return min(max(int(seconds), 1), LONGEST_RETRY) if seconds else UNKNOWN_RETRY


def _details(settled: Settled, now: float) -> tuple[bytes, str, int, str, int]:
    record, seconds = settled.record, max(now - settled.record.created_at, 0.0)
    return encode(record), record.state, settled.rows, f"{seconds:.6f}", bucket(seconds)


def _dead(place: int, settled: Settled) -> tuple[int, bytes, str, str, int]:
    """What the script makes a dead letter of; a deadly request is not given more attempts."""
    record, error = settled.record, settled.record.error
    assert error  # noqa: S101 - only what failed leaves a dead letter
    queue, _, _ = settled.tag.rpartition(":")
    letter = head(
        id=record.task_id,
        queue=queue,
        model=record.reference,
        code=error.code,
        reason=error.message,
        attempts=settled.dead_after,
        accepted_at=record.created_at,
    )
    return place, letter, error.code, error.message, int(error.code != WorkerLost.code)
