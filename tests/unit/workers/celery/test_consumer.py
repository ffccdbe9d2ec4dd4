"""Each connection to the broker attaches the same services anew."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from celery.worker import state

from tasks.settings import Settings
from workers.celery import consumer as step
from workers.celery.consumer import BatchingStep, HeartbeatStep
from workers.heartbeat import HEARTBEAT_SECONDS
from workers.services import WorkerServices


class OrderlyShutdown:
    """Counts orderly shutdowns."""

    def __init__(self, *_: Any) -> None:
        self.asked = 0

    def in_order(self) -> None:
        self.asked += 1


class Consumer:
    """A stand-in for Celery's consumer that can reconnect."""

    hostname = "worker@here"
    event_dispatcher: Any = None

    def __init__(self) -> None:
        queues = SimpleNamespace(consume_from={"predict": None})
        self.app = SimpleNamespace(amqp=SimpleNamespace(queues=queues))
        self.timer = SimpleNamespace(call_repeatedly=self._repeat)
        self.repeated: list[float] = []
        self.connect()

    def connect(self) -> None:
        self.taken = 0
        self.task_consumer = SimpleNamespace(channel=SimpleNamespace(consume=self._consume))

    def _consume(self) -> int:
        self.taken += 1
        return 0

    def _repeat(self, seconds: float, _: Any) -> Any:
        self.repeated.append(seconds)
        return SimpleNamespace(cancel=lambda: self.repeated.remove(seconds))


class Reservations:
    """Records the queues of which it was told."""

    def __init__(self) -> None:
        self.begun: list[str] = []

    def begin(self, queue: str) -> None:
        self.begun.append(queue)


@pytest.fixture
def services(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> WorkerServices:
    monkeypatch.setattr(step, "Shutdown", OrderlyShutdown)
    services = WorkerServices(Settings(home=tmp_path, redis_url="redis://127.0.0.1:1"))
    services.reservations = Reservations()
    return services


def test_intake_is_opened_at_each_connection(services: WorkerServices) -> None:
    consumer = Consumer()
    step = BatchingStep(consumer, services=services)
    for _ in range(2):
        consumer.connect()
        step.start(consumer)
        services.intake.take()
        assert consumer.taken == 1
    assert services.reservations.begun == ["predict"] * 2


def test_events_are_sent_over_each_connection(services: WorkerServices) -> None:
    consumer = Consumer()
    step = BatchingStep(consumer, services=services)
    flushed: list[str] = []
    for name in ("first", "second"):
        consumer.event_dispatcher = SimpleNamespace(flush=lambda name=name: flushed.append(name))
        step.start(consumer)
        services.events.flush()
    assert flushed == ["first", "second"]


@pytest.mark.parametrize(("should_stop", "asked"), [(None, 0), (0, 1), (70, 1)])
def test_shutdown_alone_waits_for_running_batches(
    services: WorkerServices, monkeypatch: pytest.MonkeyPatch, should_stop: int | None, asked: int
) -> None:
    step = BatchingStep(Consumer(), services=services)
    monkeypatch.setattr(state, "should_stop", should_stop)
    step.stop(Consumer())
    assert step._shutdown.asked == asked


class Heartbeat:
    """Records what the ledger would hear."""

    def __init__(self) -> None:
        self.said: list[Any] = []

    def introduce(self, name: str, queues: list[str]) -> None:
        self.said.append((name, queues))

    def beat(self) -> None:
        self.said.append("beat")

    def farewell(self) -> None:
        self.said.append("farewell")


def test_heartbeats_last_from_the_first_connection_to_the_farewell(
    services: WorkerServices,
) -> None:
    consumer, heartbeat = Consumer(), Heartbeat()
    services.heartbeat = heartbeat
    step = HeartbeatStep(consumer, services=services)
    step.start(consumer)
    assert (heartbeat.said, consumer.repeated) == (
        [("worker@here", ["predict"])],
        [HEARTBEAT_SECONDS],
    )
    step.stop(consumer)
    assert consumer.repeated == []
    step.start(consumer)
    step.shutdown(consumer)
    assert heartbeat.said[-1] == "farewell"
    assert consumer.repeated == []
