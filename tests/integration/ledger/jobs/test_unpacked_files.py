"""A job that stops keeps no unpacked input, wherever it is stopped."""

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import redis

from registry.manifest import Column, Signature
from tasks.ids import Ids
from tasks.jobs.files.file_refs import JobDirectory
from tasks.jobs.gateway import JobGateway
from tasks.jobs.messages import FINALIZE
from tasks.settings import Settings
from telemetry.errors import DiskFull
from tests.integration.ledger.jobs.job_worker import ManualWorker
from workers.jobs.performing import Performer, RetryingJobLedger
from workers.jobs.scoring import Scorer
from workers.jobs.tables.spans import Block, Span
from workers.jobs.validation.planning import write_plan
from workers.protocol import Instruction, Item

SIGNATURE = Signature((Column("a"),), True, False, ("predict",))


@pytest.fixture
def worker(client: redis.Redis) -> ManualWorker:
    worker = ManualWorker(client)
    worker.submit("a")
    return worker


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(home=tmp_path, redis_url="redis://none", spare_bytes=0)


@pytest.fixture
def unpacked(settings: Settings) -> Path:
    """An unpacked input of the job."""
    directory = JobDirectory(settings.home, "a")
    directory.path.mkdir(parents=True)
    write_plan(directory.plan("plan"), [Span(0, 2, 1, 1)], 0)
    path = directory.unpacked("1 2 3")
    path.touch()
    return path


@pytest.fixture
def gateway(client: redis.Redis, settings: Settings) -> JobGateway:
    watcher: Any = None
    return JobGateway(client, watcher, Ids(b"key"), settings)


def scorer(worker: ManualWorker, settings: Settings) -> Scorer:
    """A scorer whose input is one row that cannot be read."""
    block = Block(None, np.array([], np.int64), range(1, 2), None, None, [])
    block.bad.append(block.bad_row(0, "invalid_features", "what?"))
    source = SimpleNamespace(read=lambda _: block)
    model = SimpleNamespace(manifest=SimpleNamespace(signature=SIGNATURE))
    models: Any = SimpleNamespace(of=lambda _: model)
    inputs: Any = SimpleNamespace(source=lambda *_: source)
    return Scorer(models, inputs, worker.ledger, settings)


def performer(client: redis.Redis, settings: Settings) -> Performer:
    nothing: Any = None
    performer = Performer(nothing, settings, nothing, nothing, nothing)
    performer._ledger = RetryingJobLedger(client, settings)
    return performer


def test_job_of_too_many_failures_keeps_no_unpacked_file(
    worker: ManualWorker, settings: Settings, unpacked: Path
) -> None:
    worker.validate("a", 1, most_failures=0)
    scorer(worker, settings).score(worker.begin("a", "0"))
    assert worker.status("a") == "failed"
    assert not unpacked.exists()


def test_job_that_goes_on_keeps_its_unpacked_file(
    worker: ManualWorker, settings: Settings, unpacked: Path
) -> None:
    worker.validate("a", 2, most_failures=1)
    scorer(worker, settings).score(worker.begin("a", "0"))
    assert worker.status("a") == "running"
    assert unpacked.exists()


def test_chunk_beyond_the_quota_is_not_scored(
    worker: ManualWorker, settings: Settings, unpacked: Path
) -> None:
    settings = Settings(home=settings.home, redis_url="redis://none", max_job_bytes=0)
    worker.validate("a", 1)
    begun = worker.begin("a", "0")
    with pytest.raises(DiskFull, match="PREDICTQ_MAX_JOB_BYTES"):
        scorer(worker, settings).score(begun)
    assert not JobDirectory(settings.home, "a").parts.exists()


def test_job_whose_step_fails_keeps_no_unpacked_file(
    worker: ManualWorker, client: redis.Redis, settings: Settings, unpacked: Path
) -> None:
    worker.validate("a", 1)
    worker.settle(worker.begin("a", "0"))  # its part does not exist
    held = worker.take()
    body = json.dumps([[], {"job": "a", "step": FINALIZE}, {}]).encode()
    item = Item(held.tag, "a.finalize", "application/json", body, None, Instruction.COMPUTE, 60.0)
    assert performer(client, settings).perform(item).kind == "failed"
    assert worker.status("a") == "failed"
    assert not unpacked.exists()


def test_cancelled_job_keeps_no_unpacked_file(
    worker: ManualWorker, gateway: JobGateway, unpacked: Path
) -> None:
    held = worker.begin("a", "validate")
    assert gateway.cancel("a").status == "cancelling"
    assert unpacked.exists()
    worker.plan(held, 1)
    unpacked.touch()
    gateway.resume("a")
    assert gateway.cancel("a").status == "cancelled"
    assert not unpacked.exists()


def test_job_that_a_look_up_expires_keeps_no_unpacked_file(
    worker: ManualWorker, gateway: JobGateway, unpacked: Path
) -> None:
    worker.outdate("a")
    assert gateway.get("a").status == "expired"
    assert not unpacked.exists()
