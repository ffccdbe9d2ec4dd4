"""The report as a page: one HTML file that needs nothing else."""

from collections.abc import Callable
from datetime import UTC, datetime

import msgspec
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from api.console.formatting import FILTERS, NOTHING, bytes_size, duration, per_second, thousands
from cli.report.charts import ChartLine, chart
from cli.report.figures import ReportFigures, StepFigures

Reading = Callable[[StepFigures], float | None]


class Section(msgspec.Struct, frozen=True):
    """A chart with its title and the names of its lines."""

    title: str
    note: str
    names: tuple[str, ...]
    picture: Markup | None
    """None if nothing is known."""


_CHARTS: tuple[tuple[str, str, Callable[[float], str], dict[str, Reading]], ...] = (
    (
        "Load",
        "A second: messages that entered the queues, outcomes, and failures among them.",
        per_second,
        {
            "accepted": lambda step: step.accepted_per_second,
            "answered": lambda step: step.done.per_second,
            "failed": lambda step: (
                step.done.failed * step.done.per_second / step.done.predictions
                if step.done.predictions
                else 0.0
            ),
        },
    ),
    (
        "Latency",
        "From acceptance to outcome, by percentile; each is up to a quarter too high.",
        duration,
        {
            "p50": lambda step: step.done.p50,
            "p95": lambda step: step.done.p95,
            "p99": lambda step: step.done.p99,
        },
    ),
    (
        "Where the time goes",
        "The mean of a request in the queue, and of a model call.",
        duration,
        {
            "in the queue": lambda step: step.done.queue_seconds,
            "in the model": lambda step: step.done.model_seconds,
        },
    ),
    (
        "Batch size",
        "The mean of a model call.",
        lambda value: f"{value:.4g}",
        {
            "rows": lambda step: step.done.batch_size,
            "requests": lambda step: step.done.requests_per_call,
        },
    ),
    ("Waiting", "Most messages that waited.", thousands, {"messages": lambda step: step.depth}),
    (
        "Oldest message",
        "The longest that one had waited.",
        duration,
        {"oldest": lambda step: step.oldest},
    ),
    (
        "Processors",
        "The share that was busy, of the host of the bulk worker.",
        lambda value: f"{value:.0%}",
        {"busy": lambda step: step.cpu},
    ),
    (
        "Memory",
        "Resident, of all workers; shared memory counts in each process. And Redis's data.",
        bytes_size,
        {"workers": lambda step: step.worker_bytes, "Redis": lambda step: step.redis_bytes},
    ),
)


def report_page(figures: ReportFigures, home: str) -> str:
    """The page. ``home``: of the stack, to name it."""
    loader = PackageLoader("cli.report", "templates")
    environment = Environment(
        loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True
    )
    environment.filters |= FILTERS | {
        "share": share_text,
        "change": change_text,
        "number": mean_text,
    }
    return environment.get_template("report.html").render(
        figures=figures,
        home=home,
        sections=[_section(figures, *each) for each in _CHARTS],
        made=datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
    )


def share_text(value: float | None) -> str:
    """A share in percent."""
    return NOTHING if value is None else f"{value:.2%}"


def mean_text(value: float | None) -> str:
    """A mean."""
    return NOTHING if value is None else f"{value:.3g}"


def change_text(now: float | None, before: float | None) -> str:
    """How much more or less it was than before, in percent."""
    if now is None or not before:
        return ""
    percent = round(100 * (now - before) / before)
    return f"{percent:+d}%".replace("-", "\N{MINUS SIGN}") if percent else "±0%"


def _section(
    figures: ReportFigures,
    title: str,
    note: str,
    text: Callable[[float], str],
    lines: dict[str, Reading],
) -> Section:
    times = [step.at for step in figures.steps]
    drawn = [
        ChartLine(name, [read(step) for step in figures.steps]) for name, read in lines.items()
    ]
    is_known = any(value is not None for line in drawn for value in line.values)
    picture = chart(f"{title}: {note}", times, drawn, text) if is_known else None
    return Section(title, note, tuple(lines), picture)
