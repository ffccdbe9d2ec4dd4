"""Scores one chunk: read, call the model, write, settle."""

import logging

from tasks.jobs.files.file_refs import JobDirectory
from tasks.jobs.files.quota import Quota
from tasks.jobs.job import STOPPED
from tasks.jobs.ledger import Begun, JobLedger, Part
from tasks.settings import Settings
from telemetry.errors import InvalidInput, PredictqError
from telemetry.logs import failure
from telemetry.tracebacks import error_text, traceback_of
from workers.drift.counter import NoteRows
from workers.jobs.block_answers import AnsweredBlock, answer_block, ask_rows
from workers.jobs.crash_bisect import CrashJournal
from workers.jobs.inputs import Inputs
from workers.jobs.job_model import Model, Models
from workers.jobs.tables.output.writing import write_errors, write_part
from workers.jobs.tables.spans import Block
from workers.jobs.validation.planning import read_span

log = logging.getLogger(__name__)


class Scorer:
    """Scores chunks; each counts once, for the attempt that settles it first."""

    def __init__(
        self,
        models: Models,
        inputs: Inputs,
        ledger: JobLedger,
        settings: Settings,
        note: NoteRows = lambda *_: None,
    ) -> None:
        self._note = note
        self._models, self._inputs = models, inputs
        self._ledger, self._settings = ledger, settings
        self._quota = Quota(settings)

    def score(self, begun: Begun) -> None:
        """Score a chunk; raises errors that end the job."""
        # Before the model is called: a part that cannot be written would be computed in vain.
        self._quota.check(tenant=begun.request.tenant)
        directory = JobDirectory(self._settings.home, begun.reserved.job)
        journal = CrashJournal(directory.journal(begun.reserved.step))
        journal.begin(begun.attempt)
        model = self._models.of(begun.request)
        block = self._read(begun, directory, model)
        found = ask_rows(model, block, journal, begun.attempt)
        for rows, answers in found:
            if not isinstance(answers, PredictqError):
                given = block.features[rows.start : rows.stop]
                self._note(model.manifest, given, answers)
        answered = answer_block(model, block, found)
        if answered.raised:
            _log(begun, answered.raised)
        part = _written(begun, directory, answered, self._settings.spare_bytes)
        status = self._ledger.settle(begun.reserved, part)
        # Only once the chunk is settled: if this process dies before, the next attempt needs it.
        journal.close()
        if status in STOPPED:
            directory.discard_unpacked()

    def _read(self, begun: Begun, directory: JobDirectory, model: Model) -> Block:
        job_id, request, facts = begun.reserved.job, begun.request, begun.facts
        span = read_span(directory.plan(facts.plan), int(begun.reserved.step))
        if span is None:
            raise InvalidInput(f"the plan of job {job_id} is missing; submit the job again")
        return self._inputs.source(job_id, request, facts, model.manifest).read(span)


def _log(begun: Begun, error: PredictqError) -> None:
    """Log one line per chunk, however many rows failed; the errors file lists them all."""
    reserved, request = begun.reserved, begun.request
    traceback = traceback_of(error)
    told = reserved.job, request.model, request.version, begun.attempt, request.tenant, traceback
    fields = failure(*told, request.traceparent)
    log.warning("rows of chunk %s failed: %s", reserved.step, error_text(error), extra=fields)


def _written(begun: Begun, directory: JobDirectory, answered: AnsweredBlock, spare: int) -> Part:
    """Write the chunk's part of the output; each attempt uses a name of its own."""
    # A worker that was frozen may resume and write beside its successor; each has its own file,
    # and the ledger counts the one that is settled first.
    name = f"{begun.reserved.step}-{begun.reserved.tag.replace(':', '-')}-{begun.attempt}"
    directory.parts.mkdir(exist_ok=True)
    table = answered.table(begun.facts.answers)
    write_part(directory.part(name), begun.output_format, table, spare)
    if answered.bad:
        write_errors(directory.part_errors(name), answered.bad, spare)
    failed = len(answered.bad)
    return Part(name=name, succeeded=table.num_rows - failed, failed=failed)
