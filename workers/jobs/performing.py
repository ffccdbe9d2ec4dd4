"""Performs one step of a job in a pool process, and reports the result."""

import logging
import time
from collections.abc import Callable
from contextlib import suppress

import redis

from registry.store import Registry
from tasks.jobs.files.allowed_paths import AllowedPaths
from tasks.jobs.files.file_refs import JobDirectory
from tasks.jobs.job import STOPPED, JobError
from tasks.jobs.ledger import Begun, JobLedger, ReservedStep, Result
from tasks.jobs.messages import FINALIZE, VALIDATE, read_step
from tasks.ledger.ledger import connect
from tasks.ledger.server.retry_redis import retry_until_answered
from tasks.settings import Settings
from tasks.time_limits import MAX_ATTEMPTS
from telemetry.errors import OutOfMemory, OutputUnwritable, PredictqError, WorkerLost
from telemetry.logs import failure
from telemetry.tracebacks import error_text, traceback_of
from telemetry.tracing.span import TraceSpan
from telemetry.tracing.traceparent import SpanContext, sampled_context
from workers.compute.disposition import backoff_of
from workers.drift.counter import NoteRows
from workers.jobs.finalizing import finalize
from workers.jobs.inputs import Inputs
from workers.jobs.job_model import Limited, Models
from workers.jobs.scoring import Scorer
from workers.jobs.spans import job_span, step_span
from workers.jobs.validation.validating import Validator
from workers.models.engine import Engine
from workers.protocol import Disposition, Item

log = logging.getLogger(__name__)


class RetryingJobLedger(JobLedger):
    """A job ledger that waits while Redis does not answer, so that computed results are not
    lost.
    """

    def _ask(self, call: Callable[[], Result]) -> Result:
        return retry_until_answered(call)


class Performer:
    """Performs steps in a pool process; a chunk costs two round trips to the ledger."""

    def __init__(
        self,
        engine: Engine,
        settings: Settings,
        limited: Limited,
        note: NoteRows,
        note_spans: Callable[[list[TraceSpan]], object],
    ) -> None:
        """``limited`` kills this process if a model call takes longer than so many seconds.

        ``note``: is told rows with answers. ``note_spans``: is given spans to export.
        """
        self._note_spans = note_spans
        self._settings = settings
        self._allowed = AllowedPaths(settings.batch_roots, settings.home)
        self._ledger = RetryingJobLedger(connect(settings.redis_url, timeout=5), settings)
        models = Models(engine, Registry(settings.home), limited)
        self._inputs = Inputs(settings)
        self._validator = Validator(models, self._inputs, self._ledger, settings)
        self._scorer = Scorer(models, self._inputs, self._ledger, settings, note)

    def perform(self, item: Item) -> Disposition:
        """Perform a step; returns its disposition."""
        step = read_step(item.body)
        reserved = ReservedStep(step.job, step.step, item.tag)
        begun = self._ledger.begin(reserved)
        if begun is None:  # begin.lua has dropped the message, unless another worker holds it
            return Disposition("dropped")
        began, error = time.time(), self._error_of(begun)
        done = Disposition("succeeded") if error is None else self._failed(begun, error)
        if sent := sampled_context(item.traceparent):
            code = "" if error is None else JobError.of(error).code
            self._note_spans(self._spans(begun, sent, (began, time.time()), code))
        return done

    def _error_of(self, begun: Begun) -> Exception | None:
        """Do what the step says; returns the error that it fails with."""
        try:
            self._do(begun)
        except Exception as error:  # noqa: BLE001 - any error must reach the job's owner
            self._inputs.close()  # the file may be repaired or deleted before the next attempt
            return _converted_error(error)
        return None

    def _spans(
        self, begun: Begun, sent: SpanContext, times: tuple[float, float], code: str
    ) -> list[TraceSpan]:
        spans, job = [step_span(begun, sent, times, code)], None
        with suppress(redis.RedisError):  # the step is done; only the job's span would be missing
            job = self._ledger.job(begun.reserved.job)
        # It ended by this step or beside it; an earlier end has its span.
        if job is not None and job.ended_at is not None and job.ended_at >= float(begun.at):
            spans.append(job_span(begun, sent, job))
        return spans

    def _do(self, begun: Begun) -> None:
        match begun.reserved.step:
            case step if step.isdecimal():
                self._scorer.score(begun)
            case step if step == VALIDATE:
                self._validator.validate(begun)
            # The steps above keep journals of rows that end their process; finalizing has no rows.
            case _ if begun.attempt > MAX_ATTEMPTS:
                raise WorkerLost(f"this step ended its process {begun.attempt - 1} times")
            case step if step == FINALIZE:
                directory = JobDirectory(self._settings.home, begun.reserved.job)
                finalize(begun, self._ledger, directory, self._allowed, self._settings)

    def _failed(self, begun: Begun, error: Exception) -> Disposition:
        reserved, word, traceback = begun.reserved, error_text(error), traceback_of(error)
        request = begun.request
        told = reserved.job, request.model, request.version, begun.attempt, request.tenant
        fields = failure(*told, traceback, request.traceparent)
        log.warning("step %s of a job failed: %s", reserved.step, word, extra=fields)
        if isinstance(error, PredictqError) and error.retried and begun.attempt < MAX_ATTEMPTS:
            self._ledger.postpone(reserved, backoff_of(error))
            return Disposition("retrying", word, traceback or "")
        # Not at each failure: the job may go on, as after a resume, and then needs its input.
        if self._ledger.conclude(begun, JobError.of(error)) in STOPPED:
            JobDirectory(self._settings.home, reserved.job).discard_unpacked()
        return Disposition("failed", word, traceback or "")


def _converted_error(error: Exception) -> Exception:
    """Replace common foreign errors by predictq's own."""
    if isinstance(error, MemoryError):
        return OutOfMemory()
    if isinstance(error, OSError):
        return OutputUnwritable(f"the job's files cannot be written: {error.strerror or error}")
    return error
