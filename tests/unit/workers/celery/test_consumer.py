"""Each connection to the broker connects transport, batcher and pool anew."""

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from celery.worker import state

from tasks.settings import Settings
from workers.celery import consumer as step
from workers.celery.consumer import BatchingStep
from workers.celery.strategy import batcher_of
from workers.microbatch.batch_size import MAX_BATCH_WAIT


class OrderlyShutdown:
    """Counts orderly shutdowns."""

    def __init__(self, *_: Any) -> None:
        self.asked = 0

    def in_order(self) -> None:
        self.asked += 1


class Consumer:
    """A stand-in for Celery's consumer that can reconnect."""

    event_dispatcher: Any = None

    def __init__(self) -> None:
        self.pool = SimpleNamespace(has_idle=True)
        queues = SimpleNamespace(consume_from={"predict": None})
        self.app = SimpleNamespace(amqp=SimpleNamespace(queues=queues))
        self.due: list[tuple[float, Callable[[], object]]] = []
        self.timer = SimpleNamespace(call_after=lambda after, call: self.due.append((after, call)))
        self.connect()

    def connect(self) -> None:
        self.begun: list[str] = []
        reservations = SimpleNamespace(begin=self.begun.append)
        self.channel = SimpleNamespace(
            qos=SimpleNamespace(), reservations=reservations, consume=lambda: None
        )
        self.task_consumer = SimpleNamespace(channel=self.channel)


@pytest.fixture
def consumer(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Consumer:
    settings = Settings(home=tmp_path, redis_url="redis://127.0.0.1:1")
    monkeypatch.setattr(step.Settings, "from_environment", lambda: settings)
    monkeypatch.setattr(step, "Shutdown", OrderlyShutdown)
    return Consumer()


def test_idle_pool_consumes_from_the_current_connection(consumer: Consumer) -> None:
    step = BatchingStep(consumer)
    step.start(consumer)
    batcher, first = batcher_of(consumer), consumer.channel
    assert first.qos.batcher is batcher
    assert consumer.pool.on_idle is first.consume
    assert consumer.pool.on_hang == batcher.give_up
    assert consumer.begun == ["predict"]

    consumer.connect()
    step.start(consumer)
    assert consumer.channel.qos.batcher is batcher, "what it holds outlives a connection"
    assert consumer.pool.on_idle is consumer.channel.consume is not first.consume


def test_reminder_looks_for_messages_after_a_moment(consumer: Consumer) -> None:
    BatchingStep(consumer).start(consumer)
    batcher_of(consumer).remind()
    assert consumer.due == [(MAX_BATCH_WAIT, consumer.channel.consume)]


def test_events_are_sent_together_soon(consumer: Consumer) -> None:
    flushed: list[int] = []
    consumer.event_dispatcher = SimpleNamespace(flush=lambda: flushed.append(1))
    BatchingStep(consumer).start(consumer)
    consumer.event_dispatcher.on_send_buffered()
    consumer.event_dispatcher.on_send_buffered()
    ((_, flush),) = consumer.due
    flush()
    assert flushed == [1]


@pytest.mark.parametrize(("should_stop", "asked"), [(None, 0), (0, 1), (70, 1)])
def test_shutdown_alone_waits_for_running_batches(
    consumer: Consumer, monkeypatch: pytest.MonkeyPatch, should_stop: int | None, asked: int
) -> None:
    step = BatchingStep(consumer)
    monkeypatch.setattr(state, "should_stop", should_stop)
    step.stop(consumer)
    assert step._shutdown.asked == asked
