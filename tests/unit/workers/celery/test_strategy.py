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
from tests.support.models import described
from tests.support.stack import until
from workers.celery.strategy import batcher_of, strategy
from workers.microbatch.batcher import Batcher


class Consumer:
    """The part of Celery's consumer that a strategy uses."""

    hostname = "worker@here"
    event_dispatcher = None

    def __init__(self) -> None:
        self.pool = SimpleNamespace(has_idle=True, can_serve=lambda _: True)
        self.deferred: list[tuple[str, float]] = []
        reservations = SimpleNamespace(defer=lambda tag, until: self.deferred.append((tag, until)))
        channel = SimpleNamespace(reservations=reservations)
        self.task_consumer = SimpleNamespace(channel=channel)


@pytest.fixture
def consumer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Consumer:
    Registry(tmp_path).add("m", described(b"m"), b"m")
    monkeypatch.setenv("PREDICTQ_HOME", str(tmp_path))
    return Consumer()


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


def held(consumer: Consumer) -> list[Any]:
    return [m for group in batcher_of(consumer)._waiting.values() for m in group]


def deliver(consumer: Consumer, message: Any) -> None:
    strategy(predict, app, consumer)(message)


def test_message_goes_to_the_batcher_with_its_fields(consumer: Consumer) -> None:
    deliver(consumer, message(timelimit=[2.5, None]))
    (read,) = held(consumer)
    assert (read.tag, read.reference, read.method) == ("tag a", "m:1", "predict")
    assert (read.rows, read.limit, read.request.id) == (2, 2.5, "a")


def test_batcher_outlives_all_connections(consumer: Consumer) -> None:
    deliver(consumer, message())
    deliver(consumer, message())
    assert isinstance(batcher_of(consumer), Batcher)
    assert len(held(consumer)) == 2


def test_message_with_a_future_eta_is_deferred(consumer: Consumer) -> None:
    eta = datetime.now(UTC) + timedelta(hours=1)
    deliver(consumer, message(eta=eta.isoformat()))
    assert held(consumer) == []
    assert consumer.deferred == [("tag a", pytest.approx(eta.timestamp()))]


def test_message_with_a_past_eta_is_computed(consumer: Consumer) -> None:
    eta = datetime.now(UTC) - timedelta(hours=1)
    deliver(consumer, message(eta=eta.isoformat()))
    assert len(held(consumer)) == 1


def test_worker_without_the_registry_takes_no_messages(consumer: Consumer, tmp_path: Path) -> None:
    deliver(consumer, message("nobody:1"))
    assert batcher_of(consumer)._rests_until == 0
    shutil.rmtree(tmp_path / "models")

    def rests() -> bool:
        deliver(consumer, message())
        return batcher_of(consumer)._rests_until > 0

    until(rests, "it sees that the registry is away")
    assert batcher_of(consumer).capacity == 0
