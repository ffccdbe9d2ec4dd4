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
from workers.parts import WorkerParts


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
def parts(tmp_path: Path, reservations: Reservations) -> WorkerParts:
    Registry(tmp_path).add("m", described(b"m"), b"m")
    parts = WorkerParts(Settings(home=tmp_path, redis_url="redis://127.0.0.1:1"))
    parts.reservations = reservations  # type: ignore[assignment]  # a stand-in
    return parts


def message(model: str = "m:1", eta: str | None = None, **headers: Any) -> Any:
    kwargs = {"model": model, "features": [[1.0], [2.0]]}
    given = {"id": "a", "task": predict.name, "eta": eta, "expires": None, **headers}
    return SimpleNamespace(
        headers={"lang": "py", "root_id": "a", "timelimit": [None, None], **given},
        body=json.dumps([[], kwargs, {}]),
        properties={},
        delivery_info={},
        delivery_tag="tag a",
        content_type="application/json",
        content_encoding="utf-8",
    )


def waiting(parts: WorkerParts) -> list[Any]:
    return [*parts.batcher._waiting.messages()]


def deliver(parts: WorkerParts, message: Any) -> None:
    consumer = SimpleNamespace(hostname="worker@here")
    strategy(parts, predict, app, consumer)(message)


def test_message_goes_to_the_batcher_with_its_fields(parts: WorkerParts) -> None:
    deliver(parts, message(timelimit=[2.5, None]))
    (read,) = waiting(parts)
    assert (read.tag, read.reference, read.method) == ("tag a", "m:1", "predict")
    assert (read.rows, read.limit, read.request.id) == (2, 2.5, "a")


def test_batcher_outlives_all_connections(parts: WorkerParts) -> None:
    deliver(parts, message())
    deliver(parts, message())
    assert len(waiting(parts)) == 2


def test_message_with_a_future_eta_is_deferred(
    parts: WorkerParts, reservations: Reservations
) -> None:
    eta = datetime.now(UTC) + timedelta(hours=1)
    deliver(parts, message(eta=eta.isoformat()))
    assert waiting(parts) == []
    assert reservations.deferred == [("tag a", pytest.approx(eta.timestamp()))]


def test_message_with_a_past_eta_is_computed(parts: WorkerParts) -> None:
    eta = datetime.now(UTC) - timedelta(hours=1)
    deliver(parts, message(eta=eta.isoformat()))
    assert len(waiting(parts)) == 1


def test_worker_without_the_registry_takes_no_messages(parts: WorkerParts, tmp_path: Path) -> None:
    deliver(parts, message("absent:1"))
    assert not parts.registry_outage.lasts
    shutil.rmtree(tmp_path / "models")

    def is_noted() -> bool:
        deliver(parts, message())
        return parts.registry_outage.lasts

    until(is_noted, "it sees that the registry is away")
