"""The front end's way to batch jobs: create, look up, follow, cancel, resume."""

import shutil
import time
from collections.abc import Iterator
from pathlib import Path

import redis
from msgspec.structs import replace

from tasks.ids import Ids
from tasks.jobs.files.allowed_paths import AllowedPaths
from tasks.jobs.files.file_refs import JobDirectory, refuse_existing, refuse_same
from tasks.jobs.job import COMPLETED, TERMINAL_STATUSES, Job, JobRequest, Status
from tasks.jobs.ledger import JobLedger
from tasks.ledger import keys
from tasks.ledger.watcher import Watcher
from tasks.messages import Idempotency
from tasks.settings import Settings
from telemetry.errors import (
    JobConflict,
    JobNotFound,
    PlaceForbidden,
    ResultGone,
    SubmissionUncertain,
)

FOLLOW_RECHECK_SECONDS = 1.0
"""Seconds after which one who follows looks again, should a wake-up have been missed."""
SCANNED = 10_000
"""Jobs among which those in one status are looked for."""


class JobGateway:
    """Everything that callers may ask of batch jobs. Raises `redis.RedisError` without Redis."""

    def __init__(self, client: redis.Redis, watcher: Watcher, ids: Ids, settings: Settings) -> None:
        self._ledger = JobLedger(client, settings)
        self._watcher = watcher
        self._ids = ids
        self._home = settings.home
        self._ttl = settings.job_ttl
        self.roots = AllowedPaths(settings.batch_roots, settings.home)

    def new(self) -> tuple[str, JobDirectory]:
        """The id of a job to be, and its directory, made: an upload is written there first."""
        job_id = self._ids.new()
        directory = self.directory(job_id)
        self._home.mkdir(parents=True, exist_ok=True, mode=0o700)
        directory.path.mkdir(parents=True)
        return job_id, directory

    def directory(self, job_id: str) -> JobDirectory:
        """Where a job's own files lie."""
        return JobDirectory(self._home, job_id)

    def create(
        self,
        job_id: str,
        order: JobRequest,
        idempotency: Idempotency | None = None,
        *,
        everywhere: bool = False,
    ) -> Job:
        """Accept a job; once this returns it is safe. The id is one of `new`.

        The job has another id where it was accepted before, under the same key. The caller has
        resolved the model and checked the methods; ``everywhere``: places may be named that lie
        outside the roots. Raises `PlaceForbidden`, `OutputExists`, `VersionPaused`, `QueueFull`,
        `IdempotencyConflict`, and `SubmissionUncertain`, with the id, where Redis fell silent.
        """
        order = self._placed(order, self.directory(job_id), everywhere=everywhere)
        try:
            return self.get(self._ledger.create(job_id, order, idempotency))
        except (redis.ConnectionError, redis.TimeoutError) as error:
            raise SubmissionUncertain(
                f"the broker fell silent: job {job_id} may have been accepted or not; look it up",
                id=job_id,
            ) from error

    def get(self, job_id: str) -> Job:
        """How a job stands; one that has taken longer than it may ends here, as expired.

        Raises `JobNotFound` where the id was never given out, `ResultGone` where it is forgotten.
        """
        job = self._ledger.job(job_id)
        if job is not None and not job.has_ended and job.expires_at < time.time():
            self._ledger.sweep(job_id)
            job = self._ledger.job(job_id)
            self.directory(job_id).discard_unpacked()
        if job is not None:
            return job
        created_at = self._ids.created_at(job_id)
        if created_at is not None and created_at + self._ttl < time.time():
            raise ResultGone
        raise JobNotFound(f"there is no batch job {job_id}")

    def latest(
        self, many: int = 20, after: str | None = None, status: Status | None = None
    ) -> list[Job]:
        """The newest jobs first, at most so many, behind the one of this id, in one status.

        Dry runs are among them. Those in one status are looked for among so many others only.
        """
        ids = self._ledger.latest(many if status is None else SCANNED, after)
        if status is not None:
            ids = self._ledger.in_status(ids, status)[:many]
        jobs = self._ledger.jobs(ids)
        return [job for job in jobs if job is not None and status in (None, job.status)]

    def cancel(self, job_id: str) -> Job:
        """Begin no more of its chunks; what is computed now is finished.

        Gives the job: ``cancelling`` while something of it is computed, then ``cancelled``. One
        that has ended, or is finalizing, is given as it is.
        """
        self.get(job_id)
        self._ledger.cancel(job_id)
        job = self.get(job_id)
        if job.status == "cancelled":
            self.directory(job_id).discard_unpacked()
        return job

    def delete(self, job_id: str) -> None:
        """Forget a job that has ended, with its own files; outputs elsewhere stay.

        Raises `JobConflict` where it has not ended, and as `get`.
        """
        status = self._ledger.delete(job_id)
        if status is None:
            self.get(job_id)
        elif status not in TERMINAL_STATUSES:
            raise JobConflict(f"job {job_id} is {status}: cancel it first")
        shutil.rmtree(self.directory(job_id).path, ignore_errors=True)

    def resume(self, job_id: str) -> Job:
        """Go on with one that failed, was cancelled or expired, at its first unfinished chunk.

        Asked again, one that was resumed is given as it stands.

        Raises `JobConflict` where it is in another status.
        """
        before = self.get(job_id)
        if not self._ledger.resume(job_id):
            raise JobConflict(f"job {job_id} is {before.status}: there is nothing to resume")
        return self.get(job_id)

    def wait(self, job_id: str, seconds: float) -> Job:
        """The job once it has ended, or as it is after so many seconds."""
        deadline = time.monotonic() + seconds
        with self._watcher.watching(keys.JOB + job_id) as published:
            while not (job := self.get(job_id)).has_ended:
                left = deadline - time.monotonic()
                if left <= 0:
                    break
                published.wait(min(left, FOLLOW_RECHECK_SECONDS))
                published.clear()
        return job

    def follow(self, job_id: str, every: float = 0.25) -> Iterator[Job]:
        """The job now and after each change, the last time when it has ended.

        Changes within ``every`` seconds come as one. Now and then the same comes again, at least
        each second, so that a listener who went away is noticed.
        """
        with self._watcher.watching(keys.JOB + job_id) as published:
            while True:
                published.clear()
                job = self.get(job_id)
                yield job
                if job.has_ended:
                    return
                if published.wait(FOLLOW_RECHECK_SECONDS):
                    time.sleep(every)

    def output(self, job_id: str) -> Path:
        """Where its whole output was written.

        Raises `JobConflict` where it has not completed, `ResultGone` where nobody may read now.
        """
        job, directory = self.get(job_id), self.directory(job_id)
        if job.status not in COMPLETED or job.chunks is None:
            raise JobConflict(f"job {job_id} is {job.status}: it has no output")
        try:
            return Path(self.roots.target(job.output.uri, directory, everywhere=job.restricted))
        except PlaceForbidden as error:
            raise ResultGone(f"the output is not there any more: {error.message}") from error

    def has_written(self, job: Job, stamp: str) -> bool:
        """Whether a file with this stamp is an output of the job.

        One that was frozen while it put the job together may have replaced its successor's, and be
        the last. Jobs that earlier versions concluded say nothing of what they wrote.
        """
        written, claims = job.output.fingerprint, self.directory(job.id).claims
        if written is None or written == stamp:
            return True
        return claims.exists() and stamp in claims.read_text().splitlines()

    def errors(self, job_id: str) -> list[Path]:
        """The files that hold, in this order, a line of NDJSON for each row that failed so far."""
        self.get(job_id)
        directory = self.directory(job_id)
        if directory.errors.exists():
            return [directory.errors]
        parts = [part for part in self._ledger.parts(job_id).values() if part.failed]
        return [directory.part_errors(part.name) for part in parts]

    def _placed(self, order: JobRequest, own: JobDirectory, *, everywhere: bool) -> JobRequest:
        """The order with its places checked, and links followed."""
        try:
            placed = self._within(order, own)
        except PlaceForbidden:
            if not everywhere:
                raise
            placed = self._within(replace(order, restricted=True), own)
        if not order.overwrite:
            refuse_existing(placed.output.uri, own)
        return placed

    def _within(self, order: JobRequest, own: JobDirectory) -> JobRequest:
        source = self.roots.source(order.input.uri, own, everywhere=order.restricted)
        target = self.roots.target(order.output.uri, own, everywhere=order.restricted)
        refuse_same(source, target)
        return replace(
            order, input=replace(order.input, uri=source), output=replace(order.output, uri=target)
        )
