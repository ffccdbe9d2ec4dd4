"""The strategy for steps of batch jobs reads their messages."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from registry.store import Registry
from tests.support.models import described
from workers.celery.batch_jobs import MAX_STEP_SECONDS, _read


def message(job: Any = "m:1") -> Any:
    body = b'[[], {"job": "j", "step": "0"}, {}]'
    return SimpleNamespace(
        body=body, headers={"job": job}, delivery_tag="t", content_type="application/json"
    )


@pytest.fixture
def registry(tmp_path: Path) -> Registry:
    Registry(tmp_path).add("m", described(b"m"), b"m")
    return Registry(tmp_path)


@pytest.mark.parametrize(
    ("job", "reference"), [("m:1", "m:1"), ("m:2", None), (7, None), (None, None)]
)
def test_version_of_a_job_step_is_known(
    registry: Registry, job: Any, reference: str | None
) -> None:
    read = _read(message(job), SimpleNamespace(), registry)
    assert (read.reference, read.is_step, read.limit) == (reference, True, MAX_STEP_SECONDS)


def test_unreadable_registry_is_left_to_the_pool_process(
    registry: Registry, tmp_path: Path
) -> None:
    generation = tmp_path / "models" / ".generation"
    generation.unlink()
    generation.symlink_to(generation.name)
    assert _read(message(), SimpleNamespace(), registry).reference is None
