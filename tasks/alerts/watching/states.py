"""Which alerts are pending, firing or over, and which of them operators must be told of."""

from collections.abc import Iterable, Mapping
from typing import Literal

import msgspec

from tasks.alerts.rules.alert import Alert
from tasks.alerts.rules.conditions import Active, AlertLabels

MAX_STATES = 200
"""States that are kept; further ones are not looked at until others are over."""
UNTOLD_SECONDS = 3600.0
"""Seconds after which the notification that an alert is over is given up."""


class AlertState(msgspec.Struct, frozen=True, kw_only=True):
    """An alert whose condition holds for one set of labels, or held when it was told of."""

    name: str
    labels: AlertLabels = ()
    value: float
    since: float
    """Unix seconds at which the condition began to hold."""
    level: Literal["pending", "firing", "over"] = "pending"
    is_told: bool = False
    """Whether operators were notified that it fires."""
    over_since: float | None = None

    @property
    def key(self) -> str:
        """A key that no other state has."""
        return msgspec.json.encode((self.name, self.labels)).decode()


States = Mapping[str, AlertState]
"""By key."""


def advance(states: States, alert: Alert, active: Active, now: float) -> dict[str, AlertState]:
    """The states of one alert now. ``states``: of all alerts before."""
    before = {s.labels: s for s in states.values() if s.name == alert.name}
    holding = {
        labels: _holding(alert, before.get(labels), labels, value, now)
        for labels, value in active.items()
    }
    over = (_over(state, now) for labels, state in before.items() if labels not in active)
    kept = [*holding.values(), *(state for state in over if state)]
    return {state.key: state for state in kept}


def untold(states: Iterable[AlertState]) -> list[AlertState]:
    """States to notify operators of: those that fire, and those that ended after they had fired."""
    return [s for s in states if s.level == "over" or (s.level == "firing" and not s.is_told)]


def told(states: States) -> dict[str, AlertState]:
    """The states once operators were notified of all of them."""
    return {
        key: msgspec.structs.replace(state, is_told=state.is_told or state.level == "firing")
        for key, state in states.items()
        if state.level != "over"
    }


def _holding(
    alert: Alert, before: AlertState | None, labels: AlertLabels, value: float, now: float
) -> AlertState:
    if before is None or before.level == "over" or before.since > now:  # or a clock was set back
        is_told = before is not None and before.is_told
        before = AlertState(name=alert.name, labels=labels, value=value, since=now, is_told=is_told)
    fires = before.level == "firing" or now - before.since >= alert.seconds
    return msgspec.structs.replace(before, value=value, level="firing" if fires else "pending")


def _over(state: AlertState, now: float) -> AlertState | None:
    since = state.over_since or now
    if not state.is_told or now - since > UNTOLD_SECONDS:
        return None
    return msgspec.structs.replace(state, level="over", over_since=since)
