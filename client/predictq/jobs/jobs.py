"""Batch jobs: files, data frames and rows of any number, scored on the server."""

from collections.abc import Iterator
from os import PathLike
from typing import Unpack
from urllib.parse import urlencode

import httpx2

from predictq.arguments import count, part, seconds, text
from predictq.errors import WaitTimeout
from predictq.http import wire
from predictq.http.connection import Connection
from predictq.http.downloads import download
from predictq.http.retries import Deadline
from predictq.jobs.following import follow
from predictq.jobs.job import Job, RowError
from predictq.jobs.request import Options, as_form, fields_of
from predictq.jobs.sources import Rows, absolute_path, open_upload
from predictq.rows.columns import column_names

STILL_OPEN = "batch job {0} has not ended yet; to wait on: client.jobs.wait({0!r})"


class Jobs:
    """Batch jobs of one server; `Client.jobs` is one.

    ``rows`` is a path or a URI, a data frame, or any iterable of rows. A row is a list or an object
    as for `Client.predict`, or for a model with one column, its value. The methods raise the same
    errors as those of `Client`.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def submit(self, model: str, rows: Rows, **options: Unpack[Options]) -> Job:
        """Submit a batch job; returns at once. ``options``: see `Options`.

        Rows other than a path are written to a temporary NDJSON file and uploaded; lists are named
        by the model's columns. Raises `Unreachable` if the connection broke and the job may or may
        not have been accepted (see `list`), and `OSError` if a file to upload cannot be read.
        """
        response = self._post("predict/batch", model, rows, options)
        if doubtful := wire.uncertain_id(response):
            found = self._connection.send("GET", _path(doubtful))
            response = found if found.is_success else response
        return wire.job(response)

    def validate(self, model: str, rows: Rows, **options: Unpack[Options]) -> Job:
        """Dry run: validate without scoring; see ``report`` and ``error`` of the job.

        Waits for the validation like `wait`, without a time limit. Raises like `submit`.
        """
        hold = self._connection.deadline()
        job = wire.job(self._post("predict/batch/validate", model, rows, options, hold))
        return job if job.has_ended else self.wait(job.id)

    def get(self, id: str) -> Job:
        """Look up a job."""
        return wire.job(self._connection.send("GET", _path(id)))

    def list(
        self, limit: int = 20, *, after: str | None = None, status: str | None = None
    ) -> list[Job]:
        """List jobs, newest first.

        ``limit``: 1 to 100. ``after``: only jobs older than the one with this id. ``status``: only
        jobs in this status.
        """
        given = {"after": after, "status": status}
        names = {name: text(name, value) for name, value in given.items() if value is not None}
        query = urlencode({"limit": count("limit", limit), **names})
        return wire.jobs(self._connection.send("GET", f"predict/batch?{query}"))

    def follow(self, id: str) -> Iterator[Job]:
        """Yield the job now and at each change, the last time when it has ended.

        An unchanged job is yielded again from time to time, as a keep-alive. A server that is away
        is retried for as long as a call may take.
        """
        return follow(self._connection, _path(id), None)

    def wait(self, id: str, timeout: float | None = None) -> Job:
        """Wait until the job has ended; raises `WaitTimeout` after ``timeout`` seconds."""
        limit = None if timeout is None else seconds("timeout", timeout)
        until = None if limit is None else self._connection.deadline(limit)
        for job in follow(self._connection, _path(id), until):
            if job.has_ended:
                return job
        raise WaitTimeout(id, STILL_OPEN)

    def cancel(self, id: str) -> Job:
        """Cancel a job. Chunks being computed are finished. Cancelling twice is not an error."""
        return wire.job(self._connection.send("DELETE", _path(id)))

    def resume(self, id: str) -> Job:
        """Resume a job that failed, was cancelled or expired, at its first unfinished chunk.

        Raises `Conflict` if it cannot be resumed.
        """
        return wire.job(self._connection.send("POST", _path(id, "resume")))

    def delete(self, id: str) -> None:
        """Delete a job that has ended, with the files that the server keeps for it.

        An output written to another path stays. Raises `Conflict` if the job has not ended.
        """
        wire.successful(self._connection.send("DELETE", f"{_path(id)}?forget=true"))

    def download(self, id: str, target: str | PathLike[str]) -> None:
        """Download the output to a file, atomically: it is complete or absent.

        Raises `Conflict` while there is no output, and `OSError` if the file cannot be written; a
        missing directory is noticed before the download starts.
        """
        download(self._connection, _path(id, "output"), target)

    def errors(self, id: str) -> Iterator[RowError]:
        """Yield the rows that have failed so far, in order."""
        with self._connection.stream(_path(id, "errors")) as response:
            for line in wire.successful(response).iter_lines():
                if line:
                    yield wire.row_error(line)

    def _post(
        self, path: str, model: str, rows: Rows, options: Options, hold: Deadline | None = None
    ) -> httpx2.Response:
        fields = fields_of(model, options)
        if isinstance(rows, str | PathLike) and not options.get("upload"):
            body = fields | {"input_uri": absolute_path("rows", rows)}
            return self._connection.send("POST", path, body=body, hold=hold)
        with open_upload(rows, lambda: column_names(self._connection, model)) as (name, file):
            files = {"file": (name, file)}
            return self._connection.upload(path, as_form(fields), files, hold=hold)


def _path(id: str, behind: str = "") -> str:
    return f"predict/batch/{part('id', id)}" + (f"/{behind}" if behind else "")
