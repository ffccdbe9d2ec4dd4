"""ReportFigures as JSON and as CSV."""

import csv
import io
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import msgspec

from cli.report.figures import ReportFigures
from cli.report.summaries import Summary

_STEP = (
    "accepted_per_second",
    "depth",
    "oldest",
    "cpu",
    "worker_bytes",
    "redis_bytes",
    "processes",
)
_HEADER = ("of", "version", "at", *_STEP, *Summary.__struct_fields__)


def as_json_text(figures: ReportFigures) -> str:
    """All figures, as one object; of drift, without the buckets of features."""
    return msgspec.json.format(msgspec.json.encode(figures)).decode() + "\n"


def as_csv(figures: ReportFigures) -> str:
    """A line for the period, the one before, each version in both, and each step."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(_HEADER)
    writer.writerows(_rows(figures))
    return text.getvalue()


def _rows(figures: ReportFigures) -> Iterator[tuple[Any, ...]]:
    nothing = ("",) * len(_STEP)
    yield "period", "", _time(figures.until), *nothing, *_values(figures.now)
    yield "period before", "", _time(figures.since), *nothing, *_values(figures.before)
    for each in figures.versions:
        yield "version", each.version, _time(figures.until), *nothing, *_values(each.now)
        yield "version before", each.version, _time(figures.since), *nothing, *_values(each.before)
    for step in figures.steps:
        host = (getattr(step, name) for name in _STEP)
        yield "step", "", _time(step.at), *host, *_values(step.done)


def _values(done: Summary) -> tuple[Any, ...]:
    return msgspec.structs.astuple(done)


def _time(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="seconds")
