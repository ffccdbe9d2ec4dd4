"""Doctor says whether a watch evaluates the rules, and which runbook comes first."""

from typing import Any

import pytest

from cli.doctor.alert_checks import _alerts, _watch
from tasks.alerts.watching.states import AlertState


class Store:
    def __init__(self, *names: str, level: str = "firing", is_watched: bool = True) -> None:
        self._states = [AlertState(name=n, value=1, since=1, level=level) for n in names]
        self._is_watched = is_watched

    def open(self) -> list[AlertState]:
        return self._states

    def is_watched(self) -> bool:
        return self._is_watched


@pytest.mark.parametrize(
    ("store", "level"),
    [
        (Store(), "pass"),
        (Store("no-worker", level="pending"), "pass"),
        (Store("dead-letters"), "warn"),
        (Store("no-worker", "dead-letters"), "fail"),
    ],
)
def test_alerts_that_fire_are_findings(store: Any, level: str) -> None:
    seen = _alerts(store)
    assert seen.level == level
    assert ("no-worker" in seen.message) == ("runbooks/no-worker.md" in seen.remedy)


@pytest.mark.parametrize(("is_watched", "level"), [(True, "pass"), (False, "warn")])
def test_watch_is_looked_for(is_watched: bool, level: str) -> None:
    store: Any = Store(is_watched=is_watched)
    assert _watch(store).level == level
