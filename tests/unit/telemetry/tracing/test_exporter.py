"""The exporter: nothing waits for a collector, and what it does not take is lost and counted."""

import threading
from collections import Counter

import pytest

from telemetry.tracing import exporter as exporting
from telemetry.tracing.exporter import DELAY, MAX_EXPORTED, MAX_WAITING_SPANS, Exporter
from telemetry.tracing.span import TraceSpan
from telemetry.tracing.traceparent import new_span_id, new_trace_id
from tests.support.stack import until


def spans(many: int) -> list[TraceSpan]:
    return [
        TraceSpan("s", "internal", new_trace_id(), new_span_id(), "", 1.0, 2.0, {})
        for _ in range(many)
    ]


class Bench:
    """An exporter whose collector takes spans, refuses them, raises, or holds them up."""

    def __init__(self) -> None:
        self.taken: list[TraceSpan] = []
        self.sizes: list[int] = []
        self.counts: Counter[str] = Counter()
        self.takes: bool | Exception = True
        self.tells: Exception | None = None
        self.open = threading.Event()
        self.open.set()
        self.exporter = Exporter("test", self.tell, self.export)

    def export(self, given: list[TraceSpan]) -> bool:
        self.open.wait(10)
        self.sizes.append(len(given))
        if isinstance(self.takes, Exception):
            raise self.takes
        self.taken += given if self.takes else []
        return self.takes

    def tell(self, counts: dict[str, int]) -> None:
        if self.tells:
            raise self.tells
        self.counts.update(counts)

    def until(self, **counts: int) -> None:
        until(lambda: dict(self.counts) == counts, f"{counts}", 10)


@pytest.fixture
def bench(monkeypatch: pytest.MonkeyPatch) -> Bench:
    monkeypatch.setenv(DELAY, "10")
    return Bench()


def test_spans_are_exported(bench: Bench) -> None:
    given = spans(3)
    bench.exporter.add(given[:1])
    bench.exporter.add(given[1:])
    bench.until(exported=3)
    assert bench.taken == given


@pytest.mark.parametrize("fault", [False, OSError("gone"), ValueError("not of the library")])
def test_what_the_collector_does_not_take_is_lost_and_counted(
    bench: Bench, fault: bool | Exception
) -> None:
    bench.takes = fault
    bench.exporter.add(spans(3))
    bench.until(lost=3)
    bench.takes = True
    bench.exporter.add(spans(2))
    bench.until(lost=3, exported=2)


def test_collector_that_hangs_holds_nothing_up(bench: Bench) -> None:
    bench.open.clear()
    bench.exporter.add(spans(1))
    until(lambda: not bench.exporter._waiting, "the thread has taken it", 10)
    bench.exporter.add(spans(MAX_WAITING_SPANS + 5))
    bench.exporter.add(spans(7))
    assert len(bench.exporter._waiting) == MAX_WAITING_SPANS
    bench.open.set()
    bench.until(lost=12, exported=MAX_WAITING_SPANS + 1)
    assert max(bench.sizes) == MAX_EXPORTED


def test_counts_wait_for_redis(bench: Bench) -> None:
    bench.tells = ConnectionError("Redis is away")
    bench.exporter.add(spans(2))
    until(lambda: len(bench.taken) == 2, "the export", 10)
    bench.tells = None
    bench.exporter.add(spans(1))
    bench.until(exported=3)


def test_end_exports_what_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(DELAY, "60000")
    bench = Bench()
    bench.exporter.add(spans(2))
    bench.exporter.end()
    assert (len(bench.taken), dict(bench.counts)) == (2, {"exported": 2})


def test_process_that_is_about_to_end_exports_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(DELAY, "60000")
    bench = Bench()
    bench.exporter.add(spans(1))
    bench.exporter.hasten()
    bench.until(exported=1)
    bench.exporter.add(spans(1))
    bench.until(exported=2)


def test_end_does_not_wait_long(monkeypatch: pytest.MonkeyPatch, bench: Bench) -> None:
    monkeypatch.setattr(exporting, "END_SECONDS", 0.01)
    bench.open.clear()
    bench.exporter.add(spans(2))
    bench.exporter.end()
    bench.open.set()


def test_without_spans_there_is_no_thread() -> None:
    before = threading.active_count()
    Bench().exporter.end()
    assert threading.active_count() == before
