"""Batch jobs: files, frames and rows of any number, scored on the server."""

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
from predictq.jobs.sources import Rows, opened, place
from predictq.rows.columns import column_names

STILL_OPEN = "batch job {0} has not ended yet; to wait on: client.jobs.wait({0!r})"


class Jobs:
    """Batch jobs of one server; `Client.jobs` is one.

    ``rows``, wherever asked for, is a path or a URI, a data frame, or any iterable of rows: each a
    list or an object as `Client.predict` takes it, or, where the model has one column, its value.
    Every method raises what the methods of `Client` raise.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def submit(self, model: str, rows: Rows, **options: Unpack[Options]) -> Job:
        """Have rows scored; gives the job at once.

        What is no path is written to a temporary file as NDJSON, and sent; rows that are lists go
        by the model's column names. Raises `Unreachable` where the connection broke, and the job
        may have been accepted or not: see `list`; `OSError` where ``upload`` cannot read the file.
        """
        response = self._post("predict/batch", model, rows, options)
        if doubtful := wire.doubtful(response):
            found = self._connection.send("GET", _path(doubtful))
            response = found if found.is_success else response
        return wire.job(response)

    def validate(self, model: str, rows: Rows, **options: Unpack[Options]) -> Job:
        """A dry run: nothing is scored; ``report`` and ``error`` of the job say what was found.

        Waits for that as `wait` does, however long it takes. Raises as `submit`.
        """
        hold = self._connection.deadline()
        job = wire.job(self._post("predict/batch/validate", model, rows, options, hold))
        return job if job.has_ended else self.wait(job.id)

    def get(self, id: str) -> Job:
        """How a job stands."""
        return wire.job(self._connection.send("GET", _path(id)))

    def list(
        self, limit: int = 20, *, after: str | None = None, status: str | None = None
    ) -> list[Job]:
        """The newest jobs first, behind the one with the id ``after``, in one status."""
        given = {"after": after, "status": status}
        names = {name: text(name, value) for name, value in given.items() if value is not None}
        query = urlencode({"limit": count("limit", limit), **names})
        return wire.jobs(self._connection.send("GET", f"predict/batch?{query}"))

    def follow(self, id: str) -> Iterator[Job]:
        """The job now and whenever it changes, the last time when it has ended.

        Now and then the same comes again, so that who follows sees that time goes on.
        A server that goes away is waited for as long as a call may take.
        """
        return follow(self._connection, _path(id), None)

    def wait(self, id: str, timeout: float | None = None) -> Job:
        """The job once it has ended; raises `WaitTimeout` if that takes longer, in seconds."""
        limit = None if timeout is None else seconds("timeout", timeout)
        until = None if limit is None else self._connection.deadline(limit)
        for job in follow(self._connection, _path(id), until):
            if job.has_ended:
                return job
        raise WaitTimeout(id, STILL_OPEN)

    def cancel(self, id: str) -> Job:
        """Begin nothing more of it; what is computed now is finished. Doing so again is fine."""
        return wire.job(self._connection.send("DELETE", _path(id)))

    def resume(self, id: str) -> Job:
        """Go on at the first unfinished chunk of one that failed, was cancelled or expired.

        Raises `Conflict` where there is nothing to resume.
        """
        return wire.job(self._connection.send("POST", _path(id, "resume")))

    def delete(self, id: str) -> None:
        """Forget one that has ended, with the files that the server keeps of it.

        An output that was written elsewhere stays there. Raises `Conflict` where it has not ended.
        """
        wire.good(self._connection.send("DELETE", f"{_path(id)}?forget=true"))

    def download(self, id: str, target: str | PathLike[str]) -> None:
        """Write the output to a file, which is there whole or not at all.

        Raises `Conflict` while there is none; `OSError` where the file cannot be written, which
        for a directory that is not there is told before anything is fetched.
        """
        download(self._connection, _path(id, "output"), target)

    def errors(self, id: str) -> Iterator[RowError]:
        """The rows that failed so far, in order."""
        with self._connection.stream(_path(id, "errors")) as response:
            for line in wire.good(response).iter_lines():
                if line:
                    yield wire.row_error(line)

    def _post(
        self, path: str, model: str, rows: Rows, options: Options, hold: Deadline | None = None
    ) -> httpx2.Response:
        fields = fields_of(model, options)
        if isinstance(rows, str | PathLike) and not options.get("upload"):
            body = fields | {"input_uri": place("rows", rows)}
            return self._connection.send("POST", path, body=body, hold=hold)
        with opened(rows, lambda: column_names(self._connection, model)) as (name, file):
            return self._connection.upload(path, as_form(fields), name, file, hold)


def _path(id: str, behind: str = "") -> str:
    return f"predict/batch/{part('id', id)}" + (f"/{behind}" if behind else "")
