"""How a worker treats a reserved message before any process computes it."""

import json
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from registry.store import Registry
from tasks.app import app
from tasks.prediction import predict
from tasks.settings import Settings
from tests.support.models import described
from tests.support.stack import until
from workers.celery.strategy import strategy
from workers.services import WorkerServices


class Reservations:
    """Records deferred messages."""

    def __init__(self) -> None:
        self.deferred: list[tuple[str, float]] = []

    def defer(self, tag: str, until: float) -> None:
        self.deferred.append((tag, until))


@pytest.fixture
def reservations() -> Reservations:
    return Reservations()


@pytest.fixture
def services(tmp_path: Path, reservations: Reservations) -> WorkerServices:
    Registry(tmp_path).add("m", described(b"m"), b"m")
    services = WorkerServices(Settings(home=tmp_path, redis_url="redis://127.0.0.1:1"))
    services.reservations = reservations
    return services


def message(model: str = "m:1", eta: str | None = None, **headers: Any) -> Any:
    kwargs = {"model": model, "features": [[1.0], [2.0]]}
    given = {"id": "a", "task": predict.name, "eta": eta, "expires": None, **headers}
    return SimpleNamespace(
        headers={"lang": "py", "root_id": "a", "timelimit": [None, None], **given},
        body=json.dumps([[], kwargs, {}]),
        properties={"started": False},
        delivery_info={},
        delivery_tag="tag a",
        content_type="application/json",
        content_encoding="utf-8",
    )


def waiting(services: WorkerServices) -> list[Any]:
    return [*services.batcher._gathered.messages()]


def deliver(services: WorkerServices, message: Any) -> None:
    consumer = SimpleNamespace(hostname="worker@here")
    strategy(services, predict, app, consumer)(message)


def test_message_goes_to_the_batcher_with_its_fields(services: WorkerServices) -> None:
    deliver(services, message(timelimit=[2.5, None]))
    (read,) = waiting(services)
    assert not read.is_started
    assert (read.tag, read.reference, read.method) == ("tag a", "m:1", "predict")
    assert (read.rows, read.limit, read.request.id) == (2, 2.5, "a")


def test_batcher_outlives_all_connections(services: WorkerServices) -> None:
    deliver(services, message())
    deliver(services, message())
    assert len(waiting(services)) == 2


def test_message_with_a_future_eta_is_deferred(
    services: WorkerServices, reservations: Reservations
) -> None:
    eta = datetime.now(UTC) + timedelta(hours=1)
    deliver(services, message(eta=eta.isoformat()))
    assert waiting(services) == []
    assert reservations.deferred == [("tag a", pytest.approx(eta.timestamp()))]


def test_message_with_a_past_eta_is_computed(services: WorkerServices) -> None:
    eta = datetime.now(UTC) - timedelta(hours=1)
    deliver(services, message(eta=eta.isoformat()))
    assert len(waiting(services)) == 1


def test_worker_without_the_registry_takes_no_messages(
    services: WorkerServices, tmp_path: Path
) -> None:
    deliver(services, message("absent:1"))
    assert not services.registry_outage.lasts
    shutil.rmtree(tmp_path / "models")

    def is_noted() -> bool:
        deliver(services, message())
        return services.registry_outage.lasts

    until(is_noted, "it sees that the registry is away")


def test_message_that_was_handed_over_has_a_microbatch_of_its_own(
    services: WorkerServices,
) -> None:
    handed, later = message(), message()
    handed.properties["started"] = True
    for each in (handed, later):
        deliver(services, each)

    assert [read.is_started for read in waiting(services)] == [True, False]
    assert services.batcher.take_back_started() == [("tag a", "a")]
    assert len(waiting(services)) == 1
