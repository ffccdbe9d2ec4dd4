"""Batch jobs over HTTP: submit by reference or by upload, validate, list, look up, cancel."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Annotated

import msgspec
from flask import Blueprint, Request, Response, request
from msgspec import UNSET, UnsetType
from msgspec.structs import replace
from werkzeug.routing import BaseConverter

from api.batches.access import JobAccess
from api.batches.output_routes import OutputViews
from api.batches.request import LISTS, OBJECTS, BatchJobRequest, UploadRequest, build_job_request
from api.batches.schemas import ROUTE, BatchJobs, answer_job, brief
from api.batches.upload import Upload
from api.callers.current import current_caller
from api.http.forms import convert_disk_full, read_form
from api.http.operator_bodies import read_body, read_query
from api.http.prefer import MAX_WAIT_SECONDS, PREFERENCE_APPLIED, parse_prefer
from api.http.responses import json_response
from api.limits.concurrency import ConcurrencyLimit
from api.predictions.submission import idempotency, sticky_key
from registry.store import Registry
from tasks.jobs.files.file_refs import JobDirectory
from tasks.jobs.files.quota import Quota
from tasks.jobs.gateway import JobGateway
from tasks.jobs.job import Job, JobRequest, Status
from tasks.messages import Idempotency
from tasks.settings import Settings
from telemetry.errors import Busy, SubmissionUncertain

Limit = Annotated[int, msgspec.Meta(ge=1, le=100)]


class JobPage(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """The query of `GET /predict/batch`."""

    limit: Limit = 20
    after: str | None = None
    status: Status | UnsetType = UNSET


class Removal(msgspec.Struct, frozen=True):
    """The query of `DELETE /predict/batch/<id>`."""

    forget: bool = False


class ReceivedRequest(msgspec.Struct, frozen=True):
    """A job request, and the bytes it was read from."""

    job_request: JobRequest
    content: bytes

    def idempotency(self, sent: Request, *, dry_run: bool) -> Idempotency | None:
        """The idempotency key of the request, if it was sent; a dry run is another payload."""
        return idempotency(sent, lambda: self.content + bytes([dry_run]))


class JobId(BaseConverter):
    """A job id in a path. It excludes ``validate``, so that its 405 lists its own methods."""

    regex = r"(?!validate$)[^/]+"
    part_isolating = True


class Batches:
    """The views. Uploads and waits hold a slot of a `ConcurrencyLimit`."""

    def __init__(self, jobs: JobGateway, registry: Registry, settings: Settings) -> None:
        self._jobs = jobs
        self._access = JobAccess(jobs)
        self._registry = registry
        self._settings, self._quota = settings, Quota(settings)
        self._spare, threads = settings.spare_bytes, settings.threads
        # A quarter of the threads each for uploads, files and events, an eighth for waits of dry
        # runs. The last eighth stays free for quick requests.
        self._uploads, self._waits = ConcurrencyLimit(threads // 4), ConcurrencyLimit(threads // 8)
        self.outputs = OutputViews(jobs, self._access, threads // 4)

    def blueprint(self) -> Blueprint:
        """The routes."""
        routes, outputs = Blueprint("batches", __name__), self.outputs
        routes.record_once(lambda setup: setup.app.url_map.converters.update(job=JobId))
        routes.post(ROUTE)(self.submit)
        routes.get(ROUTE)(self.index)
        routes.post(f"{ROUTE}/validate")(self.validate)
        routes.get(f"{ROUTE}/<job:id>")(self.show)
        routes.delete(f"{ROUTE}/<job:id>")(self.remove)
        routes.post(f"{ROUTE}/<job:id>/resume")(self.resume)
        routes.get(f"{ROUTE}/<job:id>/output")(outputs.output)
        routes.get(f"{ROUTE}/<job:id>/errors")(outputs.errors)
        routes.get(f"{ROUTE}/<job:id>/events")(outputs.events)
        return routes

    def submit(self) -> Response:
        """Accept a job."""
        return answer_job(self._create(dry_run=False), 202)

    def validate(self) -> Response:
        """Dry run: check the input and the first predictions; nothing else is computed."""
        prefers = parse_prefer(request.headers.get("Prefer", ""))
        job, seconds = self._create(dry_run=True), prefers.seconds(otherwise=MAX_WAIT_SECONDS)
        job, waited = self._waits.wait(job.id, partial(self._jobs.wait, job.id, seconds), job)
        response = answer_job(job, 200 if job.has_ended else 202)
        if applied := prefers.applied(waited=waited):
            response.headers[PREFERENCE_APPLIED] = applied
        return response

    def index(self) -> Response:
        """List jobs, newest first."""
        page = read_query(request, JobPage)
        status = page.status or None
        # One more than asked, which tells whether there are older ones.
        found = self._access.latest(page.limit + 1, page.after, status)
        shown = [brief(self._access.redacted(job)) for job in found[: page.limit]]
        return json_response(BatchJobs(shown, len(found) > page.limit))

    def show(self, id: str) -> Response:
        """Show a job."""
        return answer_job(self._access.redacted(self._access.get(id)))

    def remove(self, id: str) -> Response:
        """Cancel a job; with ``forget=true`` delete one that has ended."""
        if read_query(request, Removal).forget:
            self._jobs.delete(self._access.permitted(id).id)
            return Response(status=204)
        return answer_job(self._jobs.cancel(self._access.permitted(id).id))

    def resume(self, id: str) -> Response:
        """Resume a job that failed, was cancelled or expired."""
        return answer_job(self._jobs.resume(self._access.permitted(id).id), 202)

    def _create(self, *, dry_run: bool) -> Job:
        tenant = current_caller(request).tenant
        with convert_disk_full(), self._new_job(tenant) as (job_id, directory):
            self._quota.check(tenant=tenant)
            asked = self._read(directory)
            job_request = replace(asked.job_request, dry_run=dry_run)
            key = asked.idempotency(request, dry_run=dry_run)
            job = self._jobs.create(
                job_id,
                job_request,
                key,
                everywhere=self._access.may_use_any_path,
                sending=current_caller(request).sending,
            )
            if job.id != job_id:  # the idempotency key is known: this is the earlier job
                shutil.rmtree(directory.path, ignore_errors=True)
            return job

    def _read(self, directory: JobDirectory) -> ReceivedRequest:
        if request.mimetype != "multipart/form-data":
            given = read_body(request, BatchJobRequest)
            job_request = self._built(given, given.input_uri, directory)
            return ReceivedRequest(job_request, msgspec.json.encode(given))
        with self._uploads.one() as free:
            if not free:
                raise Busy
            check = partial(self._quota.check, tenant=current_caller(request).tenant)
            upload = Upload(request, directory, self._spare, check)
        fields = read_form(upload.form, UploadRequest, LISTS, OBJECTS)
        return ReceivedRequest(self._built(fields, upload.uri, directory), upload.fingerprint)

    def _built(self, asked: UploadRequest, uri: str, directory: JobDirectory) -> JobRequest:
        given = asked, uri, directory, self._registry, current_caller(request), sticky_key(request)
        return build_job_request(*given, self._settings)

    @contextmanager
    def _new_job(self, tenant: str) -> Iterator[tuple[str, JobDirectory]]:
        """Id and directory for a new job. The directory is removed if the job is refused."""
        job_id, directory = self._jobs.new(tenant)
        try:
            yield job_id, directory
        except SubmissionUncertain:  # it may have been accepted, so its files must stay
            raise
        except BaseException:
            shutil.rmtree(directory.path, ignore_errors=True)
            raise
