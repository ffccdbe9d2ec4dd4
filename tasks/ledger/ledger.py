"""What can be asked of Redis, one round trip each."""

import time
from functools import cached_property
from importlib import resources
from typing import Any, cast

import msgspec
import redis
from redis.backoff import NoBackoff
from redis.commands.core import Script
from redis.retry import Retry

from tasks.ledger import keys
from tasks.ledger.statistics import Statistics, increments, parse
from tasks.messages import Idempotency
from tasks.record import CELERY_STATUS, Record, State
from tasks.wire import decode, encode
from telemetry.errors import IdempotencyConflict, QueueFull

WORKER_SILENCE = 8
"""Seconds without a sign of life after which a worker no longer counts."""
WORKER_FORGOTTEN = 60


def _head(state: State) -> bytes:
    return encode({"status": CELERY_STATUS[state], "state": state})[:-1]


_record = msgspec.json.Decoder(Record)
QUEUED, RUNNING = _head("queued"), _head("running")


def connect(url: str) -> redis.Redis:
    """A client that gives up soon: the front end must answer within two seconds without Redis."""
    return redis.Redis.from_url(
        url,
        socket_timeout=0.9,
        socket_connect_timeout=0.9,
        # Once more where a pooled connection has died unnoticed, but not after a timeout.
        retry=Retry(NoBackoff(), 1, supported_errors=(redis.ConnectionError,)),
        health_check_interval=0,
    )


class Ledger:
    """The single owner of what Redis knows of predictions and workers."""

    def __init__(self, client: redis.Redis, result_ttl: int) -> None:
        self.client = client
        self._result_ttl = result_ttl

    def accept(
        self,
        queue: str,
        record: Record,
        message: bytes,
        bound: int,
        idempotency: Idempotency | None = None,
    ) -> str:
        """Write the queued record and push the message; safe to repeat with the same id.

        Gives the id that holds: an earlier one where the idempotency key is known. Raises
        `QueueFull`, or `IdempotencyConflict` where the key came with another payload.
        """
        script_keys = [queue, keys.record(record.task_id)]
        arguments = [encode(record), message, bound, record.task_id]
        if idempotency:
            script_keys.append(keys.IDEMPOTENCY + idempotency.key)
            arguments += [idempotency.fingerprint, self._result_ttl]
        answer: bytes = self._accept(keys=script_keys, args=arguments)
        if answer == b"full":
            raise QueueFull(f"the queue {queue!r} holds {bound} messages, its bound")
        if answer == b"conflict":
            raise IdempotencyConflict
        return answer.decode()

    def record(self, task_id: str) -> Record | None:
        """The record, or None where there is none."""
        text = cast("bytes | None", self.client.get(keys.record(task_id)))
        return None if text is None else _record.decode(text)

    def start(self, task_id: str) -> int:
        """Note that a computation starts: its attempt from 1, or 0 if the outcome is there."""
        script_keys = [keys.record(task_id), keys.ATTEMPTS]
        return int(self._start(keys=script_keys, args=[QUEUED, RUNNING, task_id]))

    def settle(self, record: Record) -> bool:
        """Write the outcome; False where there was one, which stands."""
        version = f"{record.model}:{record.version}"
        rows = len(record.result) if record.state == "succeeded" else 0
        return bool(
            self._settle(
                keys=[keys.record(record.task_id), keys.ATTEMPTS, keys.STATISTICS + version],
                args=[
                    *(encode(record), self._result_ttl, record.task_id, QUEUED, RUNNING),
                    *increments(record.state, rows, time.time() - record.created_at),
                ],
            )
        )

    def heartbeat(self, worker: str, description: dict[str, Any]) -> None:
        """A worker says that it lives, and what it holds."""
        self._heartbeat(
            keys=[keys.WORKERS_SEEN, keys.WORKERS, keys.LOADED + worker],
            args=[worker, encode(description), WORKER_FORGOTTEN],
        )

    def farewell(self, worker: str) -> None:
        """A worker is about to end."""
        self.client.zrem(keys.WORKERS_SEEN, worker)

    def loaded(self, worker: str, version: str) -> None:
        """A process of this worker holds a version now."""
        self.client.sadd(keys.LOADED + worker, version)

    def workers(self) -> list[dict[str, Any]]:
        """Descriptions of the workers that live."""
        found = self._workers(
            keys=[keys.WORKERS_SEEN, keys.WORKERS], args=[WORKER_SILENCE, keys.LOADED]
        )
        return [
            {**decode(description), "loaded": sorted(version.decode() for version in loaded)}
            for description, loaded in zip(found[::2], found[1::2], strict=True)
        ]

    def depths(self, queues: tuple[str, ...]) -> dict[str, int]:
        """Messages waiting per queue, and under ``unacked`` those reserved."""
        with self.client.pipeline(transaction=False) as pipe:
            for queue in queues:
                pipe.llen(queue)
            pipe.hlen(keys.UNACKED)
            return dict(zip((*queues, keys.UNACKED), pipe.execute(), strict=True))

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

    def _script(self, name: str) -> Script:
        source = resources.files("tasks.ledger").joinpath(f"scripts/{name}.lua").read_text()
        return self.client.register_script(source)

    _accept = cached_property(lambda self: self._script("accept"))
    _start = cached_property(lambda self: self._script("start"))
    _settle = cached_property(lambda self: self._script("settle"))
    _heartbeat = cached_property(lambda self: self._script("heartbeat"))
    _workers = cached_property(lambda self: self._script("workers"))
