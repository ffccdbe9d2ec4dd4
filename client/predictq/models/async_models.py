"""The registry for an event loop: `Models`, in threads, because it reads and writes files."""

from os import PathLike
from typing import Any

from predictq.http.in_threads import InThreads
from predictq.http.server import Server
from predictq.models.async_rollouts import AsyncRollouts
from predictq.models.models import Json, Meaning, Models


class AsyncModels:
    """The registry of one server; `AsyncClient.models` is one. See `Models` for each call.

    A call that is cancelled goes on in its thread, and its result is dropped.
    """

    def __init__(self, server: Server) -> None:
        self._threads = InThreads(server, "models")
        self._models = Models(self._threads.connection)
        self.rollouts = AsyncRollouts(self._threads)

    async def __call__(self) -> list[Json]:
        """See `Models`: every registered model."""
        return await self._threads.call(self._models)

    async def show(self, name: str, version: int | None = None) -> Json:
        """See `Models.show`."""
        return await self._threads.call(self._models.show, name, version)

    async def status(self) -> Json:
        """See `Models.status`."""
        return await self._threads.call(self._models.status)

    async def register(self, name: str, model: Any, **options: Any) -> Json:
        """See `Models.register`."""
        return await self._threads.call(self._models.register, name, model, **options)

    async def set_alias(
        self,
        name: str,
        alias: str,
        version: Meaning,
        *,
        expected: Meaning | None = None,
        why: str = "",
    ) -> Json:
        """See `Models.set_alias`."""
        given = name, alias, version
        return await self._threads.call(self._models.set_alias, *given, expected=expected, why=why)

    async def remove_alias(
        self, name: str, alias: str, *, expected: int | None = None, why: str = ""
    ) -> Json:
        """See `Models.remove_alias`."""
        return await self._threads.call(
            self._models.remove_alias, name, alias, expected=expected, why=why
        )

    async def rollback(
        self,
        name: str,
        alias: str = "production",
        *,
        expected: Meaning | None = None,
        why: str = "",
    ) -> Json:
        """See `Models.rollback`."""
        return await self._threads.call(
            self._models.rollback, name, alias, expected=expected, why=why
        )

    async def set_cache(self, name: str, cache: bool | int) -> Json:
        """See `Models.set_cache`."""
        return await self._threads.call(self._models.set_cache, name, cache)

    async def history(
        self, name: str, *, limit: int = 100, after: int | None = None, at: str | None = None
    ) -> Json:
        """See `Models.history`."""
        return await self._threads.call(self._models.history, name, limit=limit, after=after, at=at)

    async def load(self, name: str, version: int, *, timeout: float | None = None) -> Json:
        """See `Models.load`."""
        return await self._threads.call(self._models.load, name, version, timeout=timeout)

    async def unload(self, name: str, version: int, *, timeout: float | None = None) -> Json:
        """See `Models.unload`."""
        return await self._threads.call(self._models.unload, name, version, timeout=timeout)

    async def remove(
        self, name: str, version: int | None = None, *, force: bool = False, why: str = ""
    ) -> Json:
        """See `Models.remove`."""
        return await self._threads.call(self._models.remove, name, version, force=force, why=why)

    async def keep_latest(self, name: str, many: int, *, why: str = "") -> Json:
        """See `Models.keep_latest`."""
        return await self._threads.call(self._models.keep_latest, name, many, why=why)

    async def download(self, name: str, version: int, target: str | PathLike[str]) -> None:
        """See `Models.download`."""
        await self._threads.call(self._models.download, name, version, target)

    async def sample(self, name: str, version: int) -> Json:
        """See `Models.sample`."""
        return await self._threads.call(self._models.sample, name, version)

    async def quality(self, name: str, version: int, *, days: int = 30) -> Json:
        """See `Models.quality`."""
        return await self._threads.call(self._models.quality, name, version, days=days)

    async def drift(self, name: str, version: int | None = None, *, hours: int = 24) -> Json:
        """See `Models.drift`."""
        return await self._threads.call(self._models.drift, name, version, hours=hours)

    def close(self) -> None:
        """Close the connections; calls that still run in threads fail."""
        self._threads.close()
