"""Bounds of the number of jobs, deletion, and idempotency keys."""

from dataclasses import dataclass
from pathlib import Path

import msgspec
import pytest
import redis

from tasks.jobs.ledger import JobLedger, Part
from tasks.ledger import keys
from tasks.ledger.queue.workers import Workers
from tasks.messages import Idempotency
from tasks.settings import Settings
from telemetry.errors import IdempotencyConflict, QueueFull
from tests.integration.ledger.jobs.job_worker import BROKEN, ORDER, ManualWorker

KEY = Idempotency("key", "fingerprint")


@dataclass
class BoundedJobs:
    """A ledger with low bounds for jobs."""

    client: redis.Redis

    @property
    def ledger(self) -> JobLedger:
        bounds = Settings(home=Path("/n"), redis_url="redis://n", max_live_jobs=2, max_jobs=3)
        return JobLedger(self.client, bounds)


def calls(client: redis.Redis, command: str) -> int:
    """How often a command succeeded, also in scripts, since the last `CONFIG RESETSTAT`.

    Without failures, as the first call of a script fails and is repeated.
    """
    counted = client.info("commandstats").get(f"cmdstat_{command}", {})
    return int(counted.get("calls", 0)) - int(counted.get("failed_calls", 0))


def test_live_jobs_are_bounded(client: redis.Redis) -> None:
    ledger = BoundedJobs(client).ledger
    for name in ("a", "b"):
        ledger.create(name, ORDER)
    with pytest.raises(QueueFull, match="2 batch jobs are running"):
        ledger.create("c", ORDER)
    assert ledger.job("c") is None
    ledger.create("a", ORDER)  # repeated: the job exists already
    ledger.cancel("a")
    ledger.create("c", ORDER)
    ledger.resume("a")  # an accepted job is never refused
    assert client.scard(keys.JOBS_LIVE) == 3


def test_kept_jobs_are_bounded(client: redis.Redis) -> None:
    ledger = BoundedJobs(client).ledger
    for name in ("a", "b", "c"):
        ledger.create(name, ORDER)
        ledger.cancel(name)
    with pytest.raises(QueueFull, match="3 batch jobs are stored, which is the limit: delete some"):
        ledger.create("d", ORDER)
    assert ledger.delete("b") == "cancelled"
    ledger.create("d", ORDER)


def test_ended_job_frees_its_slot(worker: ManualWorker) -> None:
    worker.submit("failed", "swept")
    worker.ledger.conclude(worker.begin("failed", "validate"), BROKEN)
    worker.outdate("swept")
    worker.ledger.sweep("swept")
    assert worker.client.scard(keys.JOBS_LIVE) == 0


def test_live_job_is_not_deleted(worker: ManualWorker) -> None:
    worker.submit("a")
    assert worker.ledger.delete("a") == "validating"
    assert worker.status("a") == "validating"
    assert worker.ledger.delete("nobody") is None


def test_deleted_job_leaves_nothing(worker: ManualWorker) -> None:
    worker.submit("a")
    worker.validate("a", 1)
    worker.settle(worker.begin("a", "0"))
    begun = worker.begin("a", "finalize")
    worker.ledger.cancel("a")
    assert worker.ledger.conclude(begun, None, "f") == "completed"
    assert worker.ledger.delete("a") == "completed"
    assert not worker.client.keys(f"{keys.JOB}*")
    assert not worker.client.zcard(keys.JOBS)
    assert worker.ledger.conclude(begun, None, "f") is None  # by a worker that was frozen
    assert worker.ledger.settle(begun.reserved, worker.part(begun)) is None


def test_idempotency_key_names_one_job(worker: ManualWorker) -> None:
    assert worker.ledger.create("a", ORDER, KEY) == "a"
    assert worker.ledger.create("b", ORDER, KEY) == "a"
    assert worker.ledger.job("b") is None
    with pytest.raises(IdempotencyConflict):
        worker.ledger.create("c", ORDER, Idempotency("key", "another"))
    worker.ledger.cancel("a")
    assert worker.ledger.create("b", ORDER, KEY) == "a"
    worker.ledger.delete("a")
    assert worker.ledger.create("b", ORDER, KEY) == "b"


def test_idempotency_key_is_deleted_with_its_job(worker: ManualWorker) -> None:
    key = keys.JOB_IDEMPOTENCY + KEY.key
    worker.ledger.create("a", ORDER, KEY)
    worker.ledger.cancel("a")
    worker.ledger.delete("a")
    assert not worker.client.exists(key)
    worker.ledger.create("b", ORDER, KEY)
    worker.client.hset(key, "id", "c")  # another job has the key by now
    worker.ledger.cancel("b")
    worker.outdate("b")
    assert worker.ledger.sweep("b")
    assert worker.client.exists(key)


def test_resuming_a_job_does_not_walk_over_settled_chunks(worker: ManualWorker) -> None:
    worker.submit("a")
    worker.validate("a", 50)
    for n in range(40):
        worker.settle(worker.begin("a", str(n)))
    reserved = worker.begin("a", "40")
    worker.ledger.cancel("a")
    assert worker.client.zrange(f"{keys.JOB}a:revisits", 0, -1) == [b"41"]
    worker.lose(reserved)  # its worker died; the next one finds nothing to do
    assert worker.ledger.begin(worker.take()) is None
    assert worker.status("a") == "cancelled"
    assert worker.client.zrange(f"{keys.JOB}a:revisits", 0, -1) == [b"40", b"41"]
    worker.ledger.resume("a")
    assert worker.waiting() == ["a.40", "a.41"]


def test_resuming_a_job_does_not_walk_over_chunks_behind_an_early_one(
    worker: ManualWorker,
) -> None:
    worker.submit("a")
    worker.validate("a", 6000)
    reserved = worker.begin("a", "0")
    result = msgspec.json.encode(worker.part(reserved))
    worker.client.hset(f"{keys.JOB}a:chunks", mapping=dict.fromkeys(range(1, 5000), result))
    worker.client.hset(f"{keys.JOB}a", "next", 5000)
    worker.ledger.cancel("a")
    worker.lose(reserved)
    assert worker.ledger.begin(worker.take()) is None
    worker.client.config_resetstat()
    assert worker.ledger.resume("a")
    assert calls(worker.client, "hexists") < 20
    assert worker.waiting() == ["a.0", "a.5000"]
    worker.settle(worker.begin("a", "0"))
    assert worker.waiting() == ["a.5000", "a.5001"]


def test_resuming_a_job_of_an_older_release_looks_through_its_chunks(worker: ManualWorker) -> None:
    worker.submit("a")
    worker.validate("a", 4)
    worker.settle(worker.begin("a", "0"))
    worker.ledger.cancel("a")
    worker.client.hdel(f"{keys.JOB}a", "revisits")
    worker.client.hset(f"{keys.JOB}a", "next", 4)
    worker.ledger.resume("a")
    assert worker.waiting() == ["a.1", "a.2"]


def test_resuming_a_job_of_an_older_release_looks_through_its_chunks_in_slices(
    worker: ManualWorker,
) -> None:
    worker.submit("a")
    worker.validate("a", 25_000)
    worker.ledger.cancel("a")
    result = msgspec.json.encode(Part(name="p", succeeded=10, failed=0))
    settled = dict.fromkeys(set(range(24_000)) - {12_000, 23_999}, result)
    worker.client.hset(f"{keys.JOB}a:chunks", mapping=settled)
    worker.client.hdel(f"{keys.JOB}a", "revisits")
    worker.client.delete(f"{keys.JOB}a:revisits")
    worker.client.hset(f"{keys.JOB}a", "next", 24_000)
    worker.client.config_resetstat()
    assert worker.ledger.resume("a")
    assert calls(worker.client, "evalsha") == 3
    assert worker.waiting() == ["a.12000", "a.23999"]
    worker.settle(worker.begin("a", "12000"))
    assert worker.waiting() == ["a.23999", "a.24000"]


def test_cancelling_takes_its_own_messages_alone_from_a_long_queue(worker: ManualWorker) -> None:
    told = {"processes": 20, "queues": ["bulk"], "name": "w"}
    Workers(worker.client).heartbeat("w", told)
    worker.submit("a", "b")
    worker.validate("a", 99)
    worker.client.rpush("bulk", *[f"m{n}" for n in range(2500)])
    worker.client.lpush("bulk", *[f"n{n}" for n in range(2500)])
    before = worker.client.llen("bulk")
    worker.client.config_resetstat()
    worker.ledger.cancel("a")
    walks = [calls(worker.client, command) for command in ("lrem", "lpos", "lrange")]
    assert walks == [1, 0, before // 1000 + 1], "two walks, however many messages it has"
    assert worker.status("a") == "cancelled"
    assert worker.client.llen("bulk") == before - 40
    assert worker.client.hget(f"{keys.QUEUED}bulk", "rows") == b"1"
    assert not worker.client.lrange("bulk", 0, -1).count(b"")
