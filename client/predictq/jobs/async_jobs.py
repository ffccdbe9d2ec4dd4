"""Batch jobs for an event loop: `Jobs`, in threads, because they read and write files."""

from collections.abc import AsyncIterator
from os import PathLike
from typing import Unpack

from predictq.http.in_threads import InThreads
from predictq.http.server import Server
from predictq.jobs.job import Job, RowError
from predictq.jobs.jobs import Jobs
from predictq.jobs.request import Options
from predictq.jobs.sources import Rows


class AsyncJobs:
    """Batch jobs of one server; `AsyncClient.jobs` is one. See `Jobs` for what each call does.

    A call that is cancelled goes on in its thread, and its result is dropped.
    """

    def __init__(self, server: Server) -> None:
        self._threads = InThreads(server, "jobs")
        self._jobs = Jobs(self._threads.connection)

    async def submit(self, model: str, rows: Rows, **options: Unpack[Options]) -> Job:
        """See `Jobs.submit`."""
        return await self._threads.call(self._jobs.submit, model, rows, **options)

    async def validate(self, model: str, rows: Rows, **options: Unpack[Options]) -> Job:
        """See `Jobs.validate`."""
        return await self._threads.call(self._jobs.validate, model, rows, **options)

    async def get(self, id: str) -> Job:
        """See `Jobs.get`."""
        return await self._threads.call(self._jobs.get, id)

    async def list(
        self, limit: int = 20, *, after: str | None = None, status: str | None = None
    ) -> list[Job]:
        """See `Jobs.list`."""
        return await self._threads.call(self._jobs.list, limit, after=after, status=status)

    def follow(self, id: str) -> AsyncIterator[Job]:
        """See `Jobs.follow`."""
        return self._threads.each(self._jobs.follow(id))

    async def wait(self, id: str, timeout: float | None = None) -> Job:
        """See `Jobs.wait`."""
        return await self._threads.call(self._jobs.wait, id, timeout)

    async def cancel(self, id: str) -> Job:
        """See `Jobs.cancel`."""
        return await self._threads.call(self._jobs.cancel, id)

    async def resume(self, id: str) -> Job:
        """See `Jobs.resume`."""
        return await self._threads.call(self._jobs.resume, id)

    async def delete(self, id: str) -> None:
        """See `Jobs.delete`."""
        await self._threads.call(self._jobs.delete, id)

    async def download(self, id: str, target: str | PathLike[str]) -> None:
        """See `Jobs.download`."""
        await self._threads.call(self._jobs.download, id, target)

    def errors(self, id: str) -> AsyncIterator[RowError]:
        """See `Jobs.errors`."""
        return self._threads.each(self._jobs.errors(id))

    def close(self) -> None:
        """Close the connections; calls that still run in threads fail."""
        self._threads.close()
