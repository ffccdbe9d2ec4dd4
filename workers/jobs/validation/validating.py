"""Validates a job before anything is computed, and cuts its input into chunks."""

from collections.abc import Iterable, Sequence
from itertools import accumulate
from typing import Any

from msgspec.structs import asdict, replace

from registry.manifest import Signature
from tasks.jobs.files.allowed_paths import AllowedPaths
from tasks.jobs.files.file_refs import JobDirectory, refuse_existing
from tasks.jobs.job import Facts, JobRequest, LineError, Report
from tasks.jobs.ledger import Begun, JobLedger, Plan
from tasks.settings import Settings
from workers.jobs.crash_bisect import CrashJournal
from workers.jobs.finalizing import clear, resolved_output
from workers.jobs.inputs import Inputs, find_facts
from workers.jobs.job_model import Model, Models
from workers.jobs.tables.checking import check_file
from workers.jobs.tables.csv.source import CsvSource
from workers.jobs.tables.matching import CUSTOM_ID
from workers.jobs.tables.replacing import check_writable
from workers.jobs.tables.spans import BadRow, Source
from workers.jobs.validation.chunk_size import Speed, rows_per_chunk
from workers.jobs.validation.planning import Planned, write_plan
from workers.jobs.validation.preview import Preview, preview_first_rows

MAX_SHOWN_ERRORS = 100
"""Most errors in a report."""

MAX_SHOWN_CHARS = 2**13
"""Most characters of column names in a report."""


class Validator:
    """Checks a job's input, its output path, and the model's answers to the first rows."""

    def __init__(
        self, models: Models, inputs: Inputs, ledger: JobLedger, settings: Settings
    ) -> None:
        self._models, self._inputs = models, inputs
        self._ledger, self._settings = ledger, settings
        self._allowed = AllowedPaths(settings.batch_roots, settings.home)

    def validate(self, begun: Begun) -> None:
        """Plan the job, or only report on it for a dry run; raises the error that it finds."""
        request, directory = begun.request, JobDirectory(self._settings.home, begun.reserved.job)
        directory.path.mkdir(parents=True, exist_ok=True)
        journal = CrashJournal(directory.journal(begun.reserved.step))
        journal.begin(begun.attempt)
        self._check_paths(request, directory)
        model, facts = self._models.of(request), find_facts(request)
        written = request.output.format or facts.format
        source = self._inputs.source(begun.reserved.job, request, facts, model.manifest)
        first = preview_first_rows(source, model, journal, begun.attempt, written)
        plan = self._plan(begun, facts, source, first, model)
        self._ledger.plan(begun.reserved, plan, dry_run=request.dry_run)
        # After the plan is stored, as in `Scorer.score`.
        journal.close()
        if request.dry_run:
            self._inputs.close()
            clear(directory)

    def _check_paths(self, request: JobRequest, directory: JobDirectory) -> None:
        """Check the paths again: links may have changed since the front end's check."""
        self._allowed.source(request.input.uri, directory, everywhere=request.restricted)
        target = resolved_output(request, directory, self._allowed)
        if not request.overwrite:
            refuse_existing(str(target), directory)
        check_writable(target, self._settings.spare_bytes)

    def _plan(
        self, begun: Begun, facts: Facts, source: Source, first: Preview, model: Model
    ) -> Plan:
        request, directory = begun.request, JobDirectory(self._settings.home, begun.reserved.job)
        spare = self._settings.spare_bytes
        # Reading every row here doubles the reading of the job. It is needed to find duplicate ids;
        # bad rows show when their chunk is scored.
        looks = first.has_ids or request.dry_run
        told = check_file(source, directory.path, spare) if looks else []
        processes = self._ledger.processes()
        rows = rows_per_chunk(first.speed, model.width, source.size, processes)
        # A frozen worker and its successor may both validate; the ledger accepts the plan of one.
        name = f"plan-{begun.reserved.tag.replace(':', '-')}-{begun.attempt}"
        planned = write_plan(directory.plan(name), source.spans(rows), spare)
        return Plan(
            facts=replace(facts, plan=name, answers=first.answers),
            report=replace(
                _report(source, planned, first.speed, processes, [*first.errors, *told]),
                ignored=shown_names(_ignored(source, request, model.manifest.signature)),
                **_dialect(source),
            ),
            most_failures=max_failures(request.error_threshold, planned.rows),
        )


def _report(
    source: Source,
    planned: Planned,
    speed: Speed,
    processes: int,
    errors: Iterable[BadRow],
) -> Report:
    rate = speed.rows_per_second
    lines = {bad.line: _line_error(bad) for bad in errors}
    return Report(
        rows=planned.rows,
        columns=shown_names(source.columns),
        chunks=planned.chunks,
        rows_per_second=rate,
        estimated_seconds=planned.rows / rate / processes,
        errors=tuple(lines[line] for line in sorted(lines)[:MAX_SHOWN_ERRORS]),
    )


def shown_names(names: Sequence[str]) -> tuple[str, ...]:
    """The first names, up to `MAX_SHOWN_CHARS` characters: Redis keeps them in memory."""
    lengths = accumulate(len(name) + 1 for name in names)
    return tuple(name for name, end in zip(names, lengths, strict=True) if end <= MAX_SHOWN_CHARS)


def _ignored(source: Source, request: JobRequest, signature: Signature) -> tuple[str, ...]:
    """Columns of the input that the model does not use, without the id column."""
    if not signature.named:
        return ()
    taken = {column.name for column in signature.columns} | {request.id_column or CUSTOM_ID}
    return tuple(name for name in source.columns if name not in taken)


def _dialect(source: Source) -> dict[str, Any]:
    return asdict(source.dialect) if isinstance(source, CsvSource) else {}


def _line_error(bad: BadRow) -> LineError:
    return LineError(line=bad.line, custom_id=bad.custom_id, code=bad.code, message=bad.message)


def max_failures(threshold: float | None, rows: int) -> int | None:
    """Most bad rows allowed, from a number or, below 1, a share; None is no limit."""
    if threshold is None:
        return None
    # Round, since shares are rarely binary fractions: 0.29 * 100 is 28.999999999999996.
    return int(round(threshold * rows, 6) if threshold < 1 else min(threshold, rows))
