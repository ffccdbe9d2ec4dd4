"""Celery's task state has each id while it is held, and each step sends an event."""

from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from celery.worker import state

from workers.microbatch.events import COLLECT_SECONDS, Deferred, EventSender
from workers.protocol import Disposition, DispositionKind


class Dispatcher:
    """Records sent events."""

    on_send_buffered: Any = None
    exchange = SimpleNamespace(name="celeryev")
    serializer, headers = "json", None

    def __init__(self, *, enabled: bool) -> None:
        self.enabled = enabled
        self.looks: list[dict[str, Any]] = []
        self.producer = SimpleNamespace(publish=self._publish)
        self.flushed = 0
        self.sent: list[tuple[str, dict[str, Any]]] = []

    def send(self, kind: str, **fields: Any) -> None:
        self.sent.append((kind, fields))

    def flush(self) -> None:
        self.flushed += 1

    def _publish(self, events: list[Any], **fields: Any) -> None:
        assert events == [], "a look is no event"
        self.looks.append(fields)


class Timer:
    """Collects what is to be called later, and repeatedly."""

    def __init__(self) -> None:
        self.due: list[Callable[[], object]] = []
        self.cancelled = 0

    def call_after(self, _: float, call: Callable[[], object]) -> None:
        self.due.append(call)

    def call_repeatedly(self, _: float, call: Callable[[], object]) -> "Timer":
        return self

    def cancel(self) -> None:
        self.cancelled += 1


class Request(SimpleNamespace):
    """The fields of Celery's request that events use; hashable, as its task state is a WeakSet."""

    __hash__ = object.__hash__


@pytest.fixture
def request_() -> Iterator[Request]:
    yield (
        request := Request(
            id="a", name="predict", argsrepr="()", kwargsrepr="m:1", root_id="a", parent_id=None
        )
    )
    state.task_ready(request)


def sender(*, enabled: bool = True) -> tuple[EventSender, Dispatcher]:
    dispatcher = Dispatcher(enabled=enabled)
    events = EventSender()
    events.attach(dispatcher, Timer())
    events.published("celeryev", "task.multi", 1)
    return events, dispatcher


def test_request_is_in_celery_s_state_until_it_finishes(request_: Any) -> None:
    events, _ = sender()
    events.received(request_)
    assert state.requests["a"] is request_
    assert request_ in state.reserved_requests
    events.started(request_, 42)
    assert request_ in state.active_requests
    assert request_.worker_pid == 42
    events.finished(request_, Disposition("dropped"), 0.0)
    assert "a" not in state.requests
    assert request_ not in state.active_requests


@pytest.mark.parametrize(
    ("kind", "event", "fields"),
    [
        ("succeeded", "task-succeeded", {"result": "", "runtime": 0.5}),
        ("failed", "task-failed", {"exception": "e", "traceback": "t"}),
        ("retrying", "task-retried", {"exception": "e", "traceback": "t"}),
        ("cancelled", "task-revoked", {"expired": False}),
        ("expired", "task-revoked", {"expired": True}),
        ("dropped", None, {}),
    ],
)
def test_outcomes_are_events_of_celery(
    request_: Any, kind: DispositionKind, event: str | None, fields: dict[str, Any]
) -> None:
    events, dispatcher = sender()
    events.finished(request_, Disposition(kind, "e", "t"), 0.5)
    assert dispatcher.sent == ([(event, {"uuid": "a", **fields})] if event else [])


def test_event_contains_no_rows(request_: Any) -> None:
    events, dispatcher = sender()
    events.received(request_)
    ((kind, fields),) = dispatcher.sent
    assert (kind, fields["args"], fields["kwargs"]) == ("task-received", "()", "m:1")


def test_event_is_not_sent_where_events_are_disabled(request_: Any) -> None:
    events, dispatcher = sender(enabled=False)
    events.received(request_)
    events.started(request_, 1)
    events.published("celeryev", "task.multi", 0)
    events.look()
    assert (dispatcher.sent, dispatcher.looks) == ([], [])
    EventSender().received(request_)


def test_events_are_sent_while_anyone_listens(request_: Any) -> None:
    events, dispatcher = sender()
    events.published("celeryev", "task.multi", 0)
    events.received(request_)
    assert dispatcher.sent == []
    events.look()
    (look,) = dispatcher.looks
    assert (look["exchange"], look["routing_key"]) == ("celeryev", "task.multi")
    events.published("celeryev", "task.multi", 2)
    events.started(request_, 1)
    events.look()
    assert len(dispatcher.sent) == len(dispatcher.looks) == 1


@pytest.mark.parametrize(
    ("exchange", "routing_key"), [("celeryev", "worker.heartbeat"), ("celery.pidbox", "task.multi")]
)
def test_events_are_not_sent_to_those_who_listen_to_something_else(
    request_: Any, exchange: str, routing_key: str
) -> None:
    """Workers that gossip receive the heartbeats of others."""
    events, dispatcher = sender()
    events.published("celeryev", "task.multi", 0)
    events.published(exchange, routing_key, 3)
    events.received(request_)
    assert dispatcher.sent == []


def test_events_are_sent_together_soon() -> None:
    timer = Timer()
    events, dispatcher = EventSender(), Dispatcher(enabled=True)
    events.attach(dispatcher, timer)
    dispatcher.on_send_buffered()
    dispatcher.on_send_buffered()
    (flush,) = timer.due
    flush()
    assert dispatcher.flushed == 1
    events.flush()
    assert dispatcher.flushed == 2


def test_events_go_over_the_current_connection(request_: Any) -> None:
    events, first = sender()
    second = Dispatcher(enabled=True)
    events.attach(second, Timer())
    events.published("celeryev", "task.multi", 1)
    events.received(request_)
    assert (len(first.sent), len(second.sent)) == (0, 1)


def test_deferred_call_happens_once_and_soon() -> None:
    due: list[tuple[float, Callable[[], object]]] = []
    calls: list[int] = []
    timer = SimpleNamespace(call_after=lambda seconds, call: due.append((seconds, call)))
    soon = Deferred(timer, lambda: calls.append(1))
    for _ in range(3):
        soon()
    ((seconds, run),) = due
    assert (seconds, calls) == (COLLECT_SECONDS, [])
    run()
    assert calls == [1]
    soon()
    assert len(due) == 2
