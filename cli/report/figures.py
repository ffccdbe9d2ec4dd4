"""The figures of a report: of a period, of the one before, in steps, and by version."""

from collections.abc import Sequence
from itertools import groupby
from math import ceil

import msgspec

from api.drift.states import DriftState
from cli.report.summaries import Summary, of_all, summed_up
from tasks.timeline.minute import Minute

MAX_REPORT_STEPS = 96
"""Steps of a period, at most."""
NOT_KEPT = (
    "requests by endpoint: only the API's processes count them, see /metrics",
    "failures by code: see the logs and the dead letters",
)


class StepFigures(msgspec.Struct, frozen=True):
    """A step of the period."""

    at: float
    """Unix seconds at its end."""
    accepted_per_second: float
    """Messages that entered the queues."""
    depth: int
    """Most messages that waited at the end of a minute."""
    oldest: float
    """Seconds: most that one of them had waited."""
    cpu: float
    """Mean share of the processors that was busy, from 0 to 1."""
    worker_bytes: int
    redis_bytes: int
    processes: int
    """Fewest processes that computed."""
    done: Summary


class VersionFigures(msgspec.Struct, frozen=True):
    """A version in the period and in the one before."""

    version: str
    """model:version."""
    now: Summary
    before: Summary


class ReportFigures(msgspec.Struct, frozen=True):
    """All that a report says."""

    since: float
    """Unix seconds."""
    until: float
    recorded_seconds: float
    """Of the period; the stack was down for the rest, or nothing is kept of it."""
    now: Summary
    before: Summary
    """The period of the same length before."""
    versions: list[VersionFigures]
    """The busiest first."""
    steps: list[StepFigures]
    drift: list[DriftState]
    missing: list[str]
    """What the report cannot say, and why."""


def figures(
    minutes: Sequence[Minute], since: float, until: float, drift: Sequence[DriftState] = ()
) -> ReportFigures:
    """Compute them of minutes in order of time, from before the period before on."""
    now = [minute for minute in minutes if since < minute.at <= until]
    before = [minute for minute in minutes if 2 * since - until < minute.at <= since]
    return ReportFigures(
        since=since,
        until=until,
        recorded_seconds=_seconds(now),
        now=summed_up(of_all(now), _seconds(now)),
        before=summed_up(of_all(before), _seconds(before)),
        versions=_versions(now, before),
        steps=_steps(now, since, until),
        drift=list(drift),
        missing=[*_gaps(now, before, until - since), *NOT_KEPT],
    )


def _versions(now: Sequence[Minute], before: Sequence[Minute]) -> list[VersionFigures]:
    names = {version for minute in (*now, *before) for version in minute.versions}
    found = [VersionFigures(name, _of(name, now), _of(name, before)) for name in sorted(names)]
    return sorted(found, key=lambda each: -each.now.predictions)


def _of(version: str, minutes: Sequence[Minute]) -> Summary:
    done = [minute.versions[version] for minute in minutes if version in minute.versions]
    return summed_up(done, _seconds(minutes))


def _steps(minutes: Sequence[Minute], since: float, until: float) -> list[StepFigures]:
    length = max((until - since) / MAX_REPORT_STEPS, 60.0)
    # Of a step that ends with the period, the end belongs to it.
    grouped = groupby(minutes, key=lambda minute: ceil((minute.at - since) / length))
    return [_step([*group]) for _, group in grouped]


def _step(minutes: Sequence[Minute]) -> StepFigures:
    seconds, hosts = _seconds(minutes), [minute.host for minute in minutes]
    return StepFigures(
        at=minutes[-1].at,
        accepted_per_second=sum(minute.accepted for minute in minutes) / seconds,
        depth=max(host.depth for host in hosts),
        oldest=max(host.oldest for host in hosts),
        cpu=sum(host.cpu for host in hosts) / len(hosts),
        worker_bytes=max(host.worker_bytes for host in hosts),
        redis_bytes=max(host.redis_bytes for host in hosts),
        processes=min(host.processes for host in hosts),
        done=summed_up(of_all(minutes), seconds),
    )


def _seconds(minutes: Sequence[Minute]) -> float:
    return sum(minute.seconds for minute in minutes)


def _gaps(now: Sequence[Minute], before: Sequence[Minute], seconds: float) -> list[str]:
    known = _seconds(now) / seconds
    told = [f"only {known:.0%} of the period is recorded"] if known < 0.95 else []
    return told if before else [*told, "nothing is recorded of the period before"]
