"""The text of notifications about alerts."""

from collections.abc import Sequence

from tasks.alerts.rules.alert import Alert, Unit, runbook_text
from tasks.alerts.watching.states import AlertState

MAX_NOTICE_CHARS = 16_000
"""Characters of one notification; the rest is cut off."""


def summary(alert: Alert, state: AlertState) -> str:
    """What is wrong, with the value and the labels of this state."""
    return _filled(alert.summary, alert, state)


def page(alert: Alert, state: AlertState) -> str:
    """Path in the console where it can be mended."""
    return _filled(alert.page, alert, state)


def title(states: Sequence[AlertState]) -> str:
    """One line over a notification: how many alerts fire, how many are over, and which."""
    parts = []
    for level, verb in (("firing", "firing"), ("over", "resolved")):
        names = [state.name for state in states if state.level == level]
        if names:
            parts.append(f"{len(names)} {verb}: {', '.join(dict.fromkeys(names))}")
    return f"predictq: {'; '.join(parts)}"[:250]


def body(told: Sequence[tuple[Alert, AlertState]]) -> str:
    """The text of a notification: what is wrong, what to do, and the runbook of what fires."""
    return "\n\n".join(_notice(*each) for each in told)[:MAX_NOTICE_CHARS]


def _notice(alert: Alert, state: AlertState) -> str:
    if state.level == "over":
        return f"RESOLVED {alert.name}: {summary(alert, state)}"
    lines = [
        f"FIRING ({alert.severity}) {alert.name}: {summary(alert, state)}",
        alert.remedy,
        runbook_text(alert.runbook),
    ]
    return "\n\n".join(filter(None, lines))


def _filled(text: str, alert: Alert, state: AlertState) -> str:
    for name, value in (*state.labels, ("value", _shown(state.value, alert.unit))):
        text = text.replace(f"{{{name}}}", value)
    return text


def _shown(value: float, unit: Unit) -> str:
    if unit == "share":
        return f"{value:.2%}"
    if unit == "seconds":
        return f"{value:,.1f} s" if value < 120 else f"{value / 60:,.0f} min"
    return f"{value:,.4g}" if value % 1 else f"{value:,.0f}"
