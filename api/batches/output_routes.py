"""Output, errors and events of a batch job over HTTP."""

import os
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from functools import partial
from pathlib import Path

import msgspec
from flask import Response

from api.batches.access import JobAccess
from api.batches.schemas import BatchJob, brief, view
from api.http.downloads import download, file_contents, open_output
from api.limits.concurrency import ConcurrencyLimit
from tasks.jobs.files.descriptors import stamp_of
from tasks.jobs.files.naming import Compression, Format, named_format
from tasks.jobs.gateway import JobGateway
from tasks.jobs.job import Job
from telemetry.errors import ResultGone

CONTENT_TYPES: dict[Format, str] = {
    "csv": "text/csv",
    "ndjson": "application/x-ndjson",
    "parquet": "application/vnd.apache.parquet",
}
COMPRESSED_TYPES: dict[Compression, str] = {
    "gzip": "application/gzip",
    "zstd": "application/zstd",
    "bz2": "application/x-bzip2",
}
KEEP_ALIVE_COMMENT = b":\n\n"
"""A comment event. Sending it is how we notice that the listener has disconnected."""


class OutputViews:
    """The views. Each response holds a slot of a `ConcurrencyLimit` until it is sent."""

    def __init__(self, jobs: JobGateway, access: JobAccess, slots: int) -> None:
        """``slots`` for files, and as many again for events, whose listeners stay for long."""
        self._jobs, self._access = jobs, access
        self._files, self._events = ConcurrencyLimit(slots), ConcurrencyLimit(slots)
        self._leaving = threading.Event()

    def end_waits(self) -> None:
        """End all event streams for shutdown; the clients reconnect to another process."""
        self._leaving.set()

    def output(self, id: str) -> Response:
        """Serve the whole output, or a byte range of it."""
        job, path = self._access.permitted(id), self._jobs.output(id)
        return self._files.limited(partial(self._output, job, path))

    def errors(self, id: str) -> Response:
        """Serve a line of NDJSON for each row that has failed so far."""
        paths, type_ = self._jobs.errors(self._access.permitted(id).id), CONTENT_TYPES["ndjson"]
        if len(paths) == 1:
            return self._files.limited(partial(_file, paths[0], f"{id}.errors.ndjson", type_))
        return self._files.limited(lambda _: Response(file_contents(paths), content_type=type_))

    def events(self, id: str) -> Response:
        """Stream server-sent events: the job now, after each change, and at its end."""
        self._access.permitted(id)  # raises 404 before the stream starts
        return self._events.limited(lambda _: self._stream(id))

    def _stream(self, id: str) -> Response:
        headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
        type_ = "text/event-stream; charset=utf-8"
        return Response(self._changes(id), headers=headers, content_type=type_)

    def _output(self, job: Job, path: Path, stack: ExitStack) -> Response:
        """Serve what the job wrote; raises `ResultGone` if the file was replaced since."""
        file = stack.enter_context(open_output(path))
        if not self._jobs.has_written(job, stamp_of(os.fstat(file.fileno()))):
            raise ResultGone(f"the file at {path} is not the output of job {job.id}")
        return download(file, *_described(job, path))

    def _changes(self, id: str) -> Iterator[bytes]:
        last: Job | None = None
        for job in self._jobs.follow(id):
            if self._leaving.is_set():
                return
            told = view(job) if last is None or job.has_ended else brief(job)
            yield KEEP_ALIVE_COMMENT if job == last else _event(told)
            last = job


def _described(job: Job, path: Path) -> tuple[str, str]:
    """The file name and the content type of a job's output."""
    format_ = job.output.format
    assert format_  # noqa: S101 - set by validation at the latest
    _, compression = named_format(path.name)
    if not path.suffix:  # in the job's own directory, under a name without suffix
        return f"{job.id}.{format_}", CONTENT_TYPES[format_]
    return path.name, COMPRESSED_TYPES[compression] if compression else CONTENT_TYPES[format_]


def _file(path: Path, name: str, type_: str, stack: ExitStack) -> Response:
    return download(stack.enter_context(open_output(path)), name, type_)


def _event(job: BatchJob) -> bytes:
    return b"event: progress\ndata: " + msgspec.json.encode(job) + b"\n\n"
