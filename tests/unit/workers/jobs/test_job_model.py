"""Resolving the model of a job, and the size of its calls."""

import shutil
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest

from registry.changes import Changes
from registry.manifest import Manifest
from registry.store import Registry
from tasks.jobs.job import FileRef, JobRequest
from telemetry.errors import RegistryUnavailable, VersionNotFound
from tests.support.models import described
from workers.jobs.job_model import Models
from workers.models.engine import Answer, SklearnEngine
from workers.models.tabular.table import Table

PLACE = FileRef(uri="/data/rows.csv", format="csv")


@pytest.fixture
def models(tmp_path: Path) -> Models:
    registry = Registry(tmp_path)
    registry.add("m", described(b"m"), b"m")
    return Models(SklearnEngine(registry), Registry(tmp_path), lambda _: nullcontext())


def request(version: int) -> JobRequest:
    return JobRequest(
        model="m", version=version, alias=None, methods=("predict",), input=PLACE, output=PLACE
    )


def test_missing_registry_is_distinguished_from_a_removed_version(
    models: Models, tmp_path: Path
) -> None:
    registry = Registry(tmp_path)
    registry.add("m", described(b"two"), b"two")
    models.of(request(1))
    models.of(request(2))
    Changes(registry).remove("m", 2)
    with pytest.raises(VersionNotFound):
        models.of(request(2))
    shutil.rmtree(tmp_path / "models")
    with pytest.raises(RegistryUnavailable):
        models.of(request(1))


def test_version_that_is_not_found_yet_is_retried(
    models: Models,
) -> None:
    with pytest.raises(RegistryUnavailable):
        models.of(request(2))


def test_model_calls_are_bounded_by_the_cache(
    models: Models, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = models.of(request(1))
    engine = Counting()
    model = msgspec.structs.replace(asked, engine=engine)
    width = len(model.manifest.signature.columns)
    monkeypatch.setattr("workers.jobs.job_model.CALL_BYTES", 3 * 8 * width)
    features = np.arange(10.0 * width).reshape(10, width)
    table = Table(model.manifest.signature, matrix=features)
    answers = model.answer(table, slice(1, 9))
    assert answers["predict"].tolist() == features[1:9, 0].tolist()
    assert engine.calls == [2, 3, 3]


class Counting:
    """An engine that returns the first column, and notes the number of rows of each call."""

    def __init__(self) -> None:
        self.calls: list[int] = []

    def answer(self, manifest: Manifest, method: str, given: Any) -> Answer:
        self.calls.append(len(given))
        return Answer(given[:, 0], 1.0)
