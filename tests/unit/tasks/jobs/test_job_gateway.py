"""The gateway of batch jobs knows the outputs that a job's workers have written."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tasks.ids import Ids
from tasks.jobs.gateway import JobGateway
from tasks.ledger.ledger import connect
from tasks.settings import Settings


@pytest.fixture
def gateway(tmp_path: Path) -> JobGateway:
    settings = Settings(home=tmp_path, redis_url="redis://none")
    watcher: Any = None
    return JobGateway(connect(settings.redis_url), watcher, Ids(b"key"), settings)


def job(fingerprint: str | None) -> Any:
    return SimpleNamespace(id="j", output=SimpleNamespace(fingerprint=fingerprint))


def test_output_that_only_the_claims_name_is_the_job_s(gateway: JobGateway) -> None:
    """A worker that froze has replaced the file, and its fingerprint never came to Redis."""
    assert not gateway.has_written(job("1 2 3"), "4 5 6")
    claims = gateway.directory("j").claims
    claims.parent.mkdir(parents=True)
    claims.write_text("1 2 3\n4 5 6\n")
    assert gateway.has_written(job("1 2 3"), "4 5 6")
    assert not gateway.has_written(job("1 2 3"), "4 5")
    assert not gateway.has_written(job("1 2 3"), "7 8 9")


def test_output_of_a_job_without_a_fingerprint_is_any_file(gateway: JobGateway) -> None:
    assert gateway.has_written(job(None), "4 5 6")
