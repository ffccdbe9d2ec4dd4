"""The ledger of batch jobs: each operation is one round trip to Redis."""

import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar, cast

import msgspec
import redis

from tasks.jobs.acceptance import accepted_job
from tasks.jobs.files.naming import Format
from tasks.jobs.job import Facts, Job, JobError, JobRequest, Report, Status
from tasks.jobs.job_state import read_job
from tasks.jobs.messages import BULK, step_id, template
from tasks.ledger import keys
from tasks.ledger.predictions.attempts import postpone_call
from tasks.ledger.queue.workers import HEARTBEAT_TIMEOUT, Workers
from tasks.ledger.script_constants import PROBING
from tasks.ledger.scripts import load_script
from tasks.messages import Idempotency
from tasks.settings import Settings
from telemetry.errors import JobFailed, TooManyFailures

log = logging.getLogger(__name__)
Result = TypeVar("Result")


class ReservedStep(msgspec.Struct, frozen=True):
    """A step of a job, and the reservation of its message."""

    job: str
    step: str
    tag: str
    """Tag of the reserved message."""


class Begun(msgspec.Struct, frozen=True):
    """A step that a worker starts, with all that it needs to know."""

    reserved: ReservedStep
    attempt: int
    """Number of the attempt, from 1; above 1 if earlier ones crashed or failed to read or write."""
    request: JobRequest
    found: Facts | None
    """None until validation."""
    at: str
    """Redis's seconds at its start."""

    @property
    def facts(self) -> Facts:
        """The facts that validation found; raises `JobFailed` before it."""
        if self.found is None:
            step, job = self.reserved.step, self.reserved.job
            raise JobFailed(f"{step} of job {job} came before its validation")
        return self.found

    @property
    def output_format(self) -> Format:
        """The input's format, unless the job request names one."""
        return self.request.output.format or self.facts.format


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """The result of a job's validation."""

    facts: Facts
    report: Report
    most_failures: int | None
    """Bad rows above which the job stops; None is no limit."""


class Part(msgspec.Struct, frozen=True, kw_only=True):
    """The result of one chunk."""

    name: str
    """Name of its files in the job's directory; each attempt uses its own."""
    succeeded: int
    failed: int


class JobLedger:
    """Reads and writes all that Redis knows of batch jobs."""

    def __init__(self, client: redis.Redis, settings: Settings) -> None:
        self.client = client
        self._ttl = settings.job_ttl
        self._bounds = settings.max_live_jobs, settings.max_jobs
        constants = {"job_ttl": settings.job_ttl, "silence": HEARTBEAT_TIMEOUT, **PROBING}
        self._scripts = {
            name: load_script(client, f"jobs.{name}", **constants)
            for name in (
                "create",
                "begin",
                "plan",
                "settle",
                "conclude",
                "cancel",
                "resume",
                "sweep",
                "delete",
            )
        }
        self._postpone = load_script(client, "ledger.predictions.postpone")
        self._workers = Workers(client)

    def create(
        self, job_id: str, request: JobRequest, idempotency: Idempotency | None = None
    ) -> str:
        """Accept a job, and return its id; does nothing if the job exists already.

        Returns an earlier id if the idempotency key was used for the same job request. Raises
        `VersionPaused`, `QueueFull`, `IdempotencyConflict`.
        """
        version, message = request.reference, template(job_id, request)
        key = (idempotency.key, idempotency.fingerprint) if idempotency else ()
        told = self._run("create", job_id, _json(request), message, version, *self._bounds, *key)
        return accepted_job(told, version, *self._bounds)

    def job(self, job_id: str) -> Job | None:
        """The job as it stands; None if there is no readable one."""
        return self.jobs([job_id])[0]

    def jobs(self, ids: Sequence[str]) -> list[Job | None]:
        """The jobs of these ids; None for those that do not exist or cannot be read."""
        # In one transaction, so that the status and the rows in flight are of one moment.
        with self.client.pipeline(transaction=True) as pipe:
            for job_id in ids:
                pipe.hgetall(keys.JOB + job_id)
                pipe.hvals(_in_flight_key(job_id))
            found = pipe.execute()
        pairs = zip(ids, found[::2], found[1::2], strict=True)
        return [_read(job_id, fields, in_flight) for job_id, fields, in_flight in pairs]

    def latest(self, many: int, before: str | None = None) -> list[str]:
        """Ids of the newest jobs older than ``before``; empty if that job is unknown."""
        first = 0
        if before is not None:
            rank = cast("int | None", self.client.zrevrank(keys.JOBS, before))
            if rank is None:
                return []
            first = rank + 1
        ids = cast("list[bytes]", self.client.zrevrange(keys.JOBS, first, first + many - 1))
        return [job_id.decode() for job_id in ids]

    def in_status(self, ids: Sequence[str], status: Status) -> list[str]:
        """The ids of those jobs that are in a status."""
        with self.client.pipeline(transaction=False) as pipe:
            for job_id in ids:
                pipe.hget(keys.JOB + job_id, "status")
            found = pipe.execute()
        return [job_id for job_id, now in zip(ids, found, strict=True) if now == status.encode()]

    def aged(self) -> list[str]:
        """Ids of jobs older than the time to live, which may have to expire."""
        now, _ = self.client.time()
        ids = cast("list[bytes]", self.client.zrangebyscore(keys.JOBS, 0, now - self._ttl))
        return [job_id.decode() for job_id in ids]

    def knows(self, job_id: str) -> bool:
        """Whether the job exists."""
        return bool(self.client.exists(keys.JOB + job_id))

    def processes(self) -> int:
        """Processes that compute batch jobs now, at least 1."""
        alive = self._ask(self._workers.alive)
        # At least 1: a worker may start later, and estimates divide by the number.
        return max(sum(int(w["processes"]) for w in alive if BULK in w.get("queues", ())), 1)

    def begin(self, reserved: ReservedStep) -> Begun | None:
        """Start a step; None if there is nothing to do."""
        told = self._run("begin", *_words(reserved))
        if told is None:
            return None
        attempt, request, facts, at = told
        known = None if facts is None else msgspec.json.decode(facts, type=Facts)
        return Begun(
            reserved, attempt, msgspec.json.decode(request, type=JobRequest), known, at.decode()
        )

    def plan(self, reserved: ReservedStep, plan: Plan, *, dry_run: bool) -> None:
        """Store the result of validation, and queue the first chunks."""
        report, most = plan.report, plan.most_failures
        numbers = report.rows, report.chunks, "" if most is None else most
        documents = _json(plan.facts), _json(report)
        self._run("plan", reserved.job, reserved.tag, *documents, *numbers, int(dry_run))

    def settle(self, reserved: ReservedStep, part: Part) -> Status | None:
        """Count a chunk once, whichever attempt is first; returns the job's status."""
        # Sent with each chunk, as the script alone knows whether this one is too much.
        stop = _json(JobError.of(TooManyFailures()))
        words = *_words(reserved), _json(part), part.succeeded, part.failed, stop
        return _status(self._run("settle", *words))

    def conclude(
        self, begun: Begun, error: JobError | None, output: str | None = None
    ) -> Status | None:
        """End a job by its step: completed without an error, failed with one; returns its status.

        ``output`` is the fingerprint of the file written. Does nothing if another worker has taken
        over the step; an error from before the job was resumed does not end it again.
        """
        told = b"" if error is None else _json(error)
        return _status(self._run("conclude", *_words(begun.reserved), told, begun.at, output or ""))

    def postpone(self, reserved: ReservedStep, backoff: float) -> None:
        """Schedule another attempt at a step: after ``backoff`` seconds, doubled each time."""
        tagged_ids = [(reserved.tag, step_id(reserved.job, reserved.step))]
        # Not as a suspect: a step has a process of its own in any case.
        script_keys, arguments = postpone_call(
            tagged_ids, suspect=False, backoff=backoff, has_records=False
        )
        self._ask(lambda: self._postpone(keys=script_keys, args=arguments))

    def parts(self, job_id: str) -> dict[int, Part]:
        """Chunk → its result, for settled chunks, in order."""
        key = f"{keys.JOB}{job_id}:chunks"
        found = cast("dict[bytes, bytes]", self._ask(lambda: self.client.hgetall(key)))
        parts = {int(n): msgspec.json.decode(text, type=Part) for n, text in found.items()}
        return dict(sorted(parts.items()))

    def running_chunks(self, job_id: str) -> set[int]:
        """The chunks that are being computed; those whose messages wait are not among them."""
        key = _in_flight_key(job_id)
        found = cast("dict[bytes, bytes]", self._ask(lambda: self.client.hgetall(key)))
        return {int(step) for step, rows in found.items() if step.isdigit() and int(rows)}

    def cancel(self, job_id: str) -> None:
        """Cancel a job, unless it has ended or its output is being written."""
        self._run("cancel", job_id)

    def resume(self, job_id: str) -> bool:
        """Resume a stopped job; False if it was not stopped."""
        while (told := self._run("resume", job_id)) == b"searching":
            pass  # a slice of a long job; other clients are served in between
        return bool(told)

    def delete(self, job_id: str) -> Status | None:
        """Delete a job that has ended; returns its status, None if there is no such job."""
        return _status(self._run("delete", job_id))

    def sweep(self, job_id: str) -> bool:
        """Expire a job that has exceeded its time, or delete an ended one: True if deleted."""
        return bool(self._run("sweep", job_id))

    def _run(self, name: str, *arguments: Any) -> Any:
        return self._ask(lambda: self._scripts[name](keys=[], args=arguments))

    def _ask(self, call: Callable[[], Result]) -> Result:
        """The only way to Redis for workers, which override it to retry."""
        return call()


def _status(told: bytes | None) -> Status | None:
    return cast("Status", told.decode()) if told else None


def _in_flight_key(job_id: str) -> str:
    return f"{keys.JOB}{job_id}:flying"


def _words(reserved: ReservedStep) -> tuple[str, str, str]:
    return reserved.job, reserved.step, reserved.tag


def _json(value: msgspec.Struct) -> bytes:
    return msgspec.json.encode(value)


def _read(job_id: str, fields: Mapping[bytes, bytes], in_flight: Sequence[bytes]) -> Job | None:
    if not fields:
        return None
    texts = {k.decode(): v.decode() for k, v in fields.items()}
    try:
        return read_job(job_id, texts, map(int, in_flight))
    except (msgspec.MsgspecError, KeyError, ValueError):  # one bad job must not hide the others
        log.exception("job %s cannot be read", job_id, extra={"id": job_id})
        return None
