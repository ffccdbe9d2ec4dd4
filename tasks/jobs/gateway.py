"""The front end's access to batch jobs: create, look up, follow, cancel, resume."""

import shutil
import time
from collections.abc import Iterator
from pathlib import Path

import redis
from msgspec.structs import replace

from tasks.callers.caller import DEFAULT_TENANT
from tasks.ids import Ids
from tasks.jobs.files.allowed_paths import AllowedPaths
from tasks.jobs.files.file_refs import JobDirectory, refuse_existing, refuse_same
from tasks.jobs.job import COMPLETED, TERMINAL_STATUSES, Job, JobRequest, Status
from tasks.jobs.ledger import JobLedger, Part
from tasks.jobs.sent import noting_sent
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
from telemetry.tracing.tracer import Sending

FOLLOW_RECHECK_SECONDS = 1.0
"""Seconds between look-ups while a caller follows a job, in case a wake-up was missed."""
MAX_SCANNED_JOBS = 10_000
"""Newest jobs that are searched for those in one status."""


class JobGateway:
    """All that callers may do with batch jobs. Raises `redis.RedisError` without Redis."""

    def __init__(self, client: redis.Redis, watcher: Watcher, ids: Ids, settings: Settings) -> None:
        self._ledger = JobLedger(client, settings)
        self._watcher = watcher
        self._ids = ids
        self._home = settings.home
        self._ttl = settings.job_ttl
        self.allowed = AllowedPaths(settings.batch_roots, settings.home)

    def new(self, tenant: str = DEFAULT_TENANT) -> tuple[str, JobDirectory]:
        """A new job id, and its directory, created: uploads are written before `create`."""
        job_id = self._ids.new()
        directory = self.directory(job_id)
        self._home.mkdir(parents=True, exist_ok=True, mode=0o700)
        # The id is new, so a directory of this name belongs to something else.
        directory.create(tenant)
        return job_id, directory

    def directory(self, job_id: str) -> JobDirectory:
        """A job's own directory."""
        return JobDirectory(self._home, job_id)

    def create(
        self,
        job_id: str,
        request: JobRequest,
        idempotency: Idempotency | None = None,
        *,
        everywhere: bool = False,
        sending: Sending | None = None,
    ) -> Job:
        """Accept a job under an id of `new`. Once this returns, the job is safe in Redis.

        The caller has resolved the model and checked the methods. ``everywhere``: paths outside the
        allowed ones are permitted. ``sending``: the span of the request, if it is sampled. If the
        idempotency key is known, returns the earlier job, with its own id. Raises `PlaceForbidden`,
        `OutputExists`, `VersionPaused`, `QueueFull`, `IdempotencyConflict`, and
        `SubmissionUncertain`, with the id, if the connection failed.
        """
        with noting_sent(sending, job_id, request):
            return self._created(job_id, request, idempotency, everywhere=everywhere)

    def _created(
        self,
        job_id: str,
        request: JobRequest,
        idempotency: Idempotency | None,
        *,
        everywhere: bool,
    ) -> Job:
        request = self._resolved(request, self.directory(job_id), everywhere=everywhere)
        try:
            key = idempotency and idempotency.of(request.tenant)
            return self.get(self._ledger.create(job_id, request, key))
        except (redis.ConnectionError, redis.TimeoutError) as error:
            raise SubmissionUncertain(
                f"Redis did not answer: job {job_id} may or may not have been accepted; look it up",
                id=job_id,
            ) from error

    def get(self, job_id: str) -> Job:
        """The job as it stands; one that has exceeded its time is expired here.

        Raises `JobNotFound` for an id never given out, `ResultGone` after its time to live.
        """
        job = self._ledger.job(job_id)
        # Workers sweep once a minute, and there may be none.
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
        """Up to ``many`` jobs, newest first, older than the job ``after``; all or in one status.

        Dry runs are included. With a status, only the newest `MAX_SCANNED_JOBS` jobs are searched.
        """
        ids = self._ledger.latest(many if status is None else MAX_SCANNED_JOBS, after)
        if status is not None:
            ids = self._ledger.in_status(ids, status)[:many]
        jobs = self._ledger.jobs(ids)
        return [job for job in jobs if job is not None and status in (None, job.status)]

    def cancel(self, job_id: str) -> Job:
        """Start no further chunks of a job; running chunks are completed.

        Returns the job: ``cancelling`` while chunks are running, then ``cancelled``. A job that has
        ended or is finalizing is returned unchanged.
        """
        self.get(job_id)
        self._ledger.cancel(job_id)
        job = self.get(job_id)
        if job.status == "cancelled":
            self.directory(job_id).discard_unpacked()
        return job

    def delete(self, job_id: str) -> None:
        """Delete a job that has ended, and its own files; outputs elsewhere stay.

        Raises `JobConflict` if it has not ended, and the errors of `get`.
        """
        status = self._ledger.delete(job_id)
        if status is None:
            self.get(job_id)  # raises what its absence means
        elif status not in TERMINAL_STATUSES:
            raise JobConflict(f"job {job_id} is {status}: cancel it first")
        # Redis has forgotten the job, so what cannot be deleted now is swept by a worker later.
        shutil.rmtree(self.directory(job_id).path, ignore_errors=True)

    def resume(self, job_id: str) -> Job:
        """Resume a job that failed, expired or was cancelled, at its first unfinished chunk.

        A job that was already resumed is returned as it stands. Raises `JobConflict` in any other
        status, and the errors of `get`.
        """
        before = self.get(job_id)
        if not self._ledger.resume(job_id):
            raise JobConflict(f"job {job_id} is {before.status}: there is nothing to resume")
        return self.get(job_id)

    def wait(self, job_id: str, seconds: float) -> Job:
        """The job once it has ended, or its current state after ``seconds``."""
        deadline = time.monotonic() + seconds
        # Before the first look-up, so that no change can come between the two.
        with self._watcher.watching(keys.JOB + job_id) as published:
            while not (job := self.get(job_id)).has_ended:
                left = deadline - time.monotonic()
                if left <= 0:
                    break
                published.wait(min(left, FOLLOW_RECHECK_SECONDS))
                published.clear()
        return job

    def follow(self, job_id: str, every: float = 0.25) -> Iterator[Job]:
        """Yield the job now and after each change, for the last time when it has ended.

        Changes within ``every`` seconds are merged. An unchanged job is yielded at least once a
        second, so that the caller notices a client that has disconnected.
        """
        with self._watcher.watching(keys.JOB + job_id) as published:
            while True:
                # Before the look-up: a change after it ends the next wait at once.
                published.clear()
                job = self.get(job_id)
                yield job
                if job.has_ended:
                    return
                # Only after a change: an unchanged job was waited for long enough.
                if published.wait(FOLLOW_RECHECK_SECONDS):
                    time.sleep(every)

    def output(self, job_id: str) -> Path:
        """The path of a completed job's output.

        Raises `JobConflict` if it has not completed, `ResultGone` if its path is no longer allowed.
        """
        job, directory = self.get(job_id), self.directory(job_id)
        if job.status not in COMPLETED or job.chunks is None:
            raise JobConflict(f"job {job_id} is {job.status}: it has no output")
        try:
            return Path(self.allowed.target(job.output.uri, directory, everywhere=job.restricted))
        except PlaceForbidden as error:
            raise ResultGone(f"the output no longer exists: {error.message}") from error

    def has_written(self, job: Job, stamp: str) -> bool:
        """Whether a file with this fingerprint is an output of the job.

        A worker that froze while it wrote the output may wake later and replace its successor's
        file with equal content. Jobs of earlier releases have no fingerprint: any file counts.
        """
        written, claims = job.output.fingerprint, self.directory(job.id).claims
        if written is None or written == stamp:
            return True
        return claims.exists() and stamp in claims.read_text().splitlines()

    def errors(self, job_id: str) -> list[Path]:
        """The NDJSON files that hold the bad rows found so far, in order."""
        self.get(job_id)
        directory = self.directory(job_id)
        if directory.errors.exists():
            return [directory.errors]
        parts = [part for part in self._ledger.parts(job_id).values() if part.failed]
        return [directory.part_errors(part.name) for part in parts]

    def parts(self, job_id: str) -> dict[int, Part]:
        """Chunk → its result, for the settled chunks of a job, in order."""
        return self._ledger.parts(job_id)

    def running_chunks(self, job_id: str) -> set[int]:
        """The chunks of a job that are being computed."""
        return self._ledger.running_chunks(job_id)

    def _resolved(
        self, request: JobRequest, directory: JobDirectory, *, everywhere: bool
    ) -> JobRequest:
        """The job request with its paths checked and links resolved."""
        # Without the right first: only a job that needs it is restricted to holders of the key.
        try:
            resolved = self._within(request, directory)
        except PlaceForbidden:
            if not everywhere:
                raise
            resolved = self._within(replace(request, restricted=True), directory)
        if not request.overwrite:
            refuse_existing(resolved.output.uri, directory)
        return resolved

    def _within(self, request: JobRequest, directory: JobDirectory) -> JobRequest:
        source = self.allowed.source(request.input.uri, directory, everywhere=request.restricted)
        target = self.allowed.target(request.output.uri, directory, everywhere=request.restricted)
        refuse_same(source, target)
        return replace(
            request,
            input=replace(request.input, uri=source),
            output=replace(request.output, uri=target),
        )
