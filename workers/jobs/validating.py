"""Validates a job before anything is computed, and cuts it into chunks."""

from collections.abc import Iterable

from tasks.jobs.job import Facts, LineError, Order, Report
from tasks.jobs.ledger import Begun, JobLedger, Plan
from tasks.jobs.messages import BULK
from tasks.jobs.places import JobDirectory, Roots
from tasks.ledger.workers import Workers
from tasks.settings import Settings
from workers.files.checking import check
from workers.files.opening import local_path, stamp
from workers.files.replacing import check_writable
from workers.files.spans import BadRow, Source
from workers.jobs.first import try_first
from workers.jobs.inputs import find, open_input, plain, prepare
from workers.jobs.model import Model, Models
from workers.jobs.planning import Planned, write_plan
from workers.jobs.sizing import Speed, rows_per_chunk
from workers.jobs.sweeping import sweep

MOST_SHOWN = 100
"""Errors in a report."""


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
        prepare(directory, order, facts)
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
        first, processes = try_first(source, model), self._processes()
        told = check(source) if first.has_ids or order.dry_run else []
        width, total = (
            len(model.manifest.signature.columns),
            _total(source, directory, order, facts),
        )
        rows = rows_per_chunk(first.speed, width, total, processes)
        planned = write_plan(directory.plan, source.spans(rows))
        report = _report(source, planned, first.speed, processes, [*first.errors, *told])
        return Plan(
            facts=facts,
            report=report,
            most_failures=_most_failures(order, planned.rows),
            window=2 * processes,
        )

    def _processes(self) -> int:
        """Processes that compute jobs now."""
        alive = Workers(self._ledger.client).alive()
        return max(sum(int(w["processes"]) for w in alive if BULK in w.get("queues", ())), 1)


def _total(source: Source, directory: JobDirectory, order: Order, facts: Facts) -> int:
    """The size of the input, in what spans are counted in: rows where they are known, or bytes."""
    rows: int | None = getattr(source, "rows", None)
    return int(stamp(plain(directory, order, facts)).partition(" ")[0]) if rows is None else rows


def _report(
    source: Source,
    planned: Planned,
    speed: Speed | None,
    processes: int,
    errors: Iterable[BadRow],
) -> Report:
    rate = speed.rows_per_second if speed else None
    lines = {bad.line: _line_error(bad) for bad in errors}
    return Report(
        rows=planned.rows,
        columns=tuple(source.columns),
        chunks=planned.chunks,
        rows_per_second=rate,
        estimated_seconds=planned.rows / rate / processes if rate else None,
        errors=tuple(lines[line] for line in sorted(lines)[:MOST_SHOWN]),
    )


def _line_error(bad: BadRow) -> LineError:
    return LineError(line=bad.line, custom_id=bad.custom_id, code=bad.code, message=bad.message)


def _most_failures(order: Order, rows: int) -> int | None:
    """Rows that may fail: a number of them, or a share."""
    threshold = order.error_threshold
    if threshold is None:
        return None
    return int(threshold * rows) if isinstance(threshold, float) else threshold
