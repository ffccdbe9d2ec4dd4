"""The overview: the notices of what needs attention, most urgent first."""

from collections.abc import Iterator
from typing import Literal

import msgspec

from api.console.live.sampler import Picture
from tasks.alerts.rules.alert import Alert, all_alerts
from tasks.alerts.watching.notices import page, summary
from tasks.alerts.watching.states import AlertState

Level = Literal["good", "warn", "bad"]


class Concern(msgspec.Struct, frozen=True):
    """A condition that needs attention, and its remedy."""

    level: Level
    what: str
    remedy: str
    link: str = ""
    """Path of the page on which it can be fixed; empty if there is none."""
    runbook: str = ""
    """Name of its runbook; empty if there is none."""


class Overview(msgspec.Struct, frozen=True):
    """The content of the page."""

    level: Level
    sentence: str
    concerns: list[Concern]


UNWATCHED = Concern(
    "warn",
    "No watch evaluates the alert rules",
    "Start `predictq watch`, or `up` without --no-watch: until then this page shows no alerts.",
)


def overview(picture: Picture) -> Overview:
    """The notices of alerts, and those that Redis or the watch does not respond."""
    concerns = sorted(_concerns(picture), key=lambda concern: concern.level)  # "bad" before "warn"
    if not concerns:
        return Overview("good", "All is well.", [])
    first = concerns[0]
    more = f" {len(concerns) - 1} more below." if len(concerns) > 1 else ""
    return Overview(first.level, f"{first.what}.{more}", concerns)


def _concerns(picture: Picture) -> Iterator[Concern]:
    if picture.away_since is not None:
        since, alert = picture.away_since, all_alerts()["redis-down"]
        state = AlertState(name=alert.name, value=0, since=since, level="firing")
        yield _concern(alert, state)
    elif picture.snapshot is not None:
        if not picture.snapshot.is_watched:
            yield UNWATCHED
        for state in picture.snapshot.alerts:
            yield _concern(all_alerts()[state.name], state)


def _concern(alert: Alert, state: AlertState) -> Concern:
    is_bad = state.level == "firing" and alert.severity == "page"
    waiting = f" (an alert after {alert.duration})" if state.level == "pending" else ""
    return Concern(
        "bad" if is_bad else "warn",
        summary(alert, state) + waiting,
        alert.remedy,
        page(alert, state),
        alert.runbook,
    )
