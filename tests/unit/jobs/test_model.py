"""The model of a job, as far as a worker can tell."""

import shutil
from contextlib import nullcontext
from pathlib import Path

import pytest

from registry.store import Registry
from tasks.jobs.job import Order, Place
from telemetry.errors import RegistryUnavailable, VersionNotFound
from tests.models import described
from workers.engine import SklearnEngine
from workers.jobs.model import Models

PLACE = Place(uri="/data/rows.csv", format="csv")


@pytest.fixture
def models(tmp_path: Path) -> Models:
    registry = Registry(tmp_path)
    registry.add("m", described(b"m"), b"m")
    return Models(SklearnEngine(registry), Registry(tmp_path), lambda _: nullcontext())


def order(version: int) -> Order:
    return Order(
        model="m", version=version, alias=None, methods=("predict",), input=PLACE, output=PLACE
    )


def test_a_registry_that_is_away_is_told_from_a_version_that_was_removed(
    models: Models, tmp_path: Path
) -> None:
    models.of(order(1))
    with pytest.raises(VersionNotFound):
        models.of(order(2))
    shutil.rmtree(tmp_path / "models")
    with pytest.raises(RegistryUnavailable):
        models.of(order(1))
