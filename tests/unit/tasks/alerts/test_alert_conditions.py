"""Each alert fires for what it is about, and for nothing else; promtool checks the same cases."""

from types import SimpleNamespace

import pytest

from tasks.alerts.rules.alert import all_alerts
from tasks.alerts.rules.selectors import MetricSample, parse_selector, read_samples
from tasks.alerts.watching.counts import CounterSums
from tasks.alerts.watching.states import AlertState, advance
from telemetry.metrics import HTTP_REQUESTS, HTTP_SECONDS, LOST, ledger_metrics
from tests.unit.tasks.alerts.alert_cases import CASES, Series, values


def scrapes(series: Series) -> list[dict[str, list[MetricSample]]]:
    """The samples of each minute, as if they had been scraped."""
    columns = {name: list(values(notation)) for name, notation in series.items()}
    names = frozenset(parse_selector(name).name for name in columns)
    return [
        read_samples(
            "\n".join(
                f"{name} {v[minute]}" for name, v in columns.items() if v[minute] is not None
            ),
            names,
        )
        for minute in range(max(map(len, columns.values())))
    ]


def states_of(name: str, series: Series, minutes: int) -> list[AlertState]:
    """The states of an alert after so many minutes of these series."""
    alert = all_alerts()[name]
    counts = CounterSums(alert.condition.counters)
    states: dict[str, AlertState] = {}
    for minute, samples in enumerate(scrapes(series)[: minutes + 1]):
        counts.add(60.0 * minute, samples)
        view = SimpleNamespace(samples=samples, increase=counts.increase)
        states = advance(states, alert, alert.condition.holds(view), 60.0 * minute)
    return list(states.values())


def test_every_alert_has_a_case() -> None:
    assert CASES.keys() == all_alerts().keys()


@pytest.mark.parametrize("name", CASES)
def test_alert_fires(name: str) -> None:
    case = CASES[name]
    assert [s.level for s in states_of(name, case.fires, case.minutes)] == ["firing"]


@pytest.mark.parametrize("name", CASES)
def test_alert_is_silent(name: str) -> None:
    case = CASES[name]
    for series in case.silent:
        states = states_of(name, series, case.minutes)
        assert [s for s in states if s.level == "firing"] == []


@pytest.mark.parametrize("name", [n for n, a in all_alerts().items() if a.seconds >= 60])
def test_alert_waits_for_its_duration(name: str) -> None:
    assert [s.level for s in states_of(name, CASES[name].fires, 0)] in ([], ["pending"])


def test_metrics_of_all_rules_exist() -> None:
    families = [m for each in (HTTP_REQUESTS, HTTP_SECONDS, LOST) for m in each.describe()]
    families += ledger_metrics()
    suffixes = {"counter": ("_total",), "histogram": ("_bucket", "_count"), "gauge": ("",)}
    known = {family.name + s for family in families for s in suffixes[family.type]}
    used = {s.name for alert in all_alerts().values() for s in alert.condition.selectors}
    assert used - known == {"up"}


def test_bounds_of_objectives_are_buckets() -> None:
    from tasks.ledger.statistics import BUCKETS

    for alert in all_alerts().values():
        for selector in alert.condition.selectors:
            assert all(float(v) in BUCKETS for label, _, v in selector.matchers if label == "le")


@pytest.mark.parametrize("text", ["", "a{", 'a{b="c"', "a{b=c}", 'a{b="c",}', "a b", 'a{b>"c"}'])
def test_bad_selectors_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match="not a selector"):
        parse_selector(text)


def test_only_wanted_samples_are_read() -> None:
    text = '# HELP a_total x\n# TYPE a_total counter\na_total{b="c d"} 3\nab 4\nother 5\n'
    assert read_samples(text, frozenset({"a_total"})) == {
        "a_total": [MetricSample("a_total", {"b": "c d"}, 3.0)]
    }
