"""Which requests are sampled, by the names of OpenTelemetry's own samplers."""

import pytest

from telemetry.tracing.sampler import ARGUMENT, SAMPLER, sampler
from telemetry.tracing.traceparent import SpanContext, new_span_id

LOW, HIGH = "1" * 16 + "0" * 15 + "1", "1" * 16 + "f" * 16


def told(monkeypatch: pytest.MonkeyPatch, name: str, argument: str = "") -> None:
    monkeypatch.setenv(SAMPLER, name)
    monkeypatch.setenv(ARGUMENT, argument)


def caller(trace_id: str, *, is_sampled: bool) -> SpanContext:
    return SpanContext(trace_id, new_span_id(), is_sampled)


@pytest.mark.parametrize("name", ["", "parentbased_always_on", "nonsense"])
def test_callers_decide_and_other_requests_are_sampled(
    monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    told(monkeypatch, name)
    found = sampler()
    assert found.sampled_trace(caller(HIGH, is_sampled=True)) == HIGH
    assert found.sampled_trace(caller(LOW, is_sampled=False)) is None
    made = found.sampled_trace(None)
    assert made is not None
    assert len(made) == 32
    assert made != found.sampled_trace(None)


@pytest.mark.parametrize(
    ("name", "argument", "sampled", "unsampled"),
    [
        ("always_on", "", True, True),
        ("always_off", "", False, False),
        ("traceidratio", "0.5", True, True),
        ("parentbased_always_off", "", True, False),
        ("parentbased_traceidratio", "0.5", True, False),
    ],
)
def test_decision_of_a_caller_holds_if_the_sampler_follows_it(
    monkeypatch: pytest.MonkeyPatch, name: str, argument: str, sampled: bool, unsampled: bool
) -> None:
    told(monkeypatch, name, argument)
    found = sampler()
    for is_sampled, expected in [(True, sampled), (False, unsampled)]:
        given = caller(LOW, is_sampled=is_sampled)
        assert found.sampled_trace(given) == (LOW if expected else None)


def test_ratio_goes_by_the_end_of_the_id_so_that_all_services_decide_the_same(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    told(monkeypatch, "traceidratio", "0.01")
    found = sampler()
    assert found.sampled_trace(caller(HIGH, is_sampled=True)) is None
    made = [found.sampled_trace(None) for _ in range(10_000)]
    assert 50 < sum(each is not None for each in made) < 170
    for each in filter(None, made):
        assert found.sampled_trace(caller(each, is_sampled=True)) == each


@pytest.mark.parametrize("argument", ["x", "2", "-0.1", "nan", "1", ""])
def test_ratio_that_is_none_is_1(monkeypatch: pytest.MonkeyPatch, argument: str) -> None:
    told(monkeypatch, "traceidratio", argument)
    assert sampler().bound == 1 << 64
