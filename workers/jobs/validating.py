"""Validates a job before anything is computed, and cuts it into chunks."""

from itertools import islice

import msgspec

from tasks.jobs.job import Facts, LineError, Order, Report
from tasks.jobs.ledger import Begun, JobLedger, Plan
from tasks.jobs.messages import BULK
from tasks.jobs.places import JobDirectory, Roots
from tasks.ledger.workers import Workers
from tasks.settings import Settings
from workers.files.opening import local_path
from workers.files.replacing import check_writable
from workers.files.spans import BadRow, Source
from workers.jobs.answering import answer
from workers.jobs.inputs import find, open_input
from workers.jobs.model import Model, Models
from workers.jobs.planning import Planned, write_plan
from workers.jobs.sizing import MORE, Speed, measure, rows_per_chunk
from workers.jobs.sweeping import sweep

MOST_SHOWN = 20
"""Errors of the first rows in a report."""


class First(msgspec.Struct, frozen=True):
    """What the model makes of the first rows."""

    errors: list[BadRow]
    speed: Speed | None = None
    """None where there is no row that it takes."""
    size: float = 0.0
    """Of a row in the file, in what its spans are counted in."""


class Validator:
    """Looks at the input, at the output's place, and at what the model makes of the first rows."""

    def __init__(self, models: Models, ledger: JobLedger, settings: Settings) -> None:
        self._models, self._ledger, self._settings = models, ledger, settings
        self._roots = Roots(settings.batch_roots, settings.home)

    def validate(self, begun: Begun) -> None:
        """Plan the job, or report where that is all that is wanted; raises what is wrong."""
        sweep(self._ledger, self._settings)
        order, directory = begun.order, JobDirectory(self._settings.home, begun.held.job)
        directory.path.mkdir(parents=True, exist_ok=True)
        self._check_places(order)
        model, facts = self._models.of(order), find(order)
        source = open_input(directory, order, facts, model.manifest)
        try:
            plan = self._plan(order, facts, source, model, directory)
        finally:
            source.close()
        self._ledger.plan(begun.held, plan, dry_run=order.dry_run)

    def _check_places(self, order: Order) -> None:
        """Once more: links may have changed since the front end looked."""
        self._roots.checked(order.input.uri)
        assert order.output  # noqa: S101 - the gateway has put one in
        path = local_path(self._roots.checked(order.output.uri))
        if path is not None and not order.dry_run:
            check_writable(path)

    def _plan(
        self, order: Order, facts: Facts, source: Source, model: Model, directory: JobDirectory
    ) -> Plan:
        first, processes = _try_first(source, model), self._processes()
        width = len(model.manifest.signature.columns)
        total = getattr(source, "rows", None) or (first.size and facts.bytes / first.size)
        spans = source.spans(rows_per_chunk(first.speed, width, total, processes))
        planned = write_plan(directory.plan, spans)
        return Plan(
            facts=facts,
            report=_report(source, planned, first, processes),
            most_failures=_most_failures(order, planned.rows),
            window=2 * processes,
        )

    def _processes(self) -> int:
        """Processes that compute jobs now."""
        alive = Workers(self._ledger.client).alive()
        return max(sum(int(w["processes"]) for w in alive if BULK in w.get("queues", ())), 1)


def _try_first(source: Source, model: Model) -> First:
    span = next(iter(source.spans(MORE)), None)
    if span is None:
        return First([])
    block = source.read(span)
    answered = answer(model, block)
    speed = measure(model, block.features, answered.rows)
    return First(answered.bad, speed, (span.stop - span.start) / span.rows)


def _report(source: Source, planned: Planned, first: First, processes: int) -> Report:
    rate = first.speed.rows_per_second if first.speed else None
    return Report(
        rows=planned.rows,
        columns=tuple(source.columns),
        chunks=planned.chunks,
        rows_per_second=rate,
        estimated_seconds=planned.rows / rate / processes if rate else None,
        errors=tuple(_line_error(bad) for bad in islice(first.errors, MOST_SHOWN)),
    )


def _line_error(bad: BadRow) -> LineError:
    return LineError(line=bad.line, custom_id=bad.custom_id, code=bad.code, message=bad.message)


def _most_failures(order: Order, rows: int) -> int | None:
    """Rows that may fail: a number of them, or a share."""
    threshold = order.error_threshold
    if threshold is None:
        return None
    return int(threshold * rows) if isinstance(threshold, float) else threshold
