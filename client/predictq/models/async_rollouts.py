"""Rollouts for an event loop: `Rollouts`, in threads."""

from typing import Any

from predictq.http.in_threads import InThreads
from predictq.models.rollouts import Json, Rollouts


class AsyncRollouts:
    """The rollouts of one server; `AsyncClient.models.rollouts` is one. See `Rollouts`."""

    def __init__(self, threads: InThreads) -> None:
        self._threads = threads
        self._rollouts = Rollouts(threads.connection)

    async def __call__(self, name: str) -> list[Json]:
        """See `Rollouts`: those of a model, newest first."""
        return await self._threads.call(self._rollouts, name)

    async def show(self, name: str, id: int) -> Json:
        """See `Rollouts.show`."""
        return await self._threads.call(self._rollouts.show, name, id)

    async def start(self, name: str, version: int, **options: Any) -> Json:
        """See `Rollouts.start`."""
        return await self._threads.call(self._rollouts.start, name, version, **options)

    async def pause(self, name: str, id: int, *, why: str = "") -> Json:
        """See `Rollouts.pause`."""
        return await self._threads.call(self._rollouts.pause, name, id, why=why)

    async def resume(self, name: str, id: int, *, why: str = "") -> Json:
        """See `Rollouts.resume`."""
        return await self._threads.call(self._rollouts.resume, name, id, why=why)

    async def comparison(self, name: str, alias: str = "production") -> Json:
        """See `Rollouts.comparison`."""
        return await self._threads.call(self._rollouts.comparison, name, alias)

    async def shadow(self, name: str, alias: str = "production") -> Json:
        """See `Rollouts.shadow`."""
        return await self._threads.call(self._rollouts.shadow, name, alias)

    async def set_shadow(
        self,
        name: str,
        version: int,
        *,
        rate: float = 10.0,
        alias: str = "production",
        tolerance: float = 0.01,
        why: str = "",
    ) -> Json:
        """See `Rollouts.set_shadow`."""
        return await self._threads.call(
            self._rollouts.set_shadow,
            name,
            version,
            rate=rate,
            alias=alias,
            tolerance=tolerance,
            why=why,
        )

    async def stop_shadow(self, name: str, alias: str = "production", *, why: str = "") -> Json:
        """See `Rollouts.stop_shadow`."""
        return await self._threads.call(self._rollouts.stop_shadow, name, alias, why=why)

    async def disagreements(self, name: str, alias: str = "production") -> list[Json]:
        """See `Rollouts.disagreements`."""
        return await self._threads.call(self._rollouts.disagreements, name, alias)

    async def abort(self, name: str, id: int, *, why: str = "") -> Json:
        """See `Rollouts.abort`."""
        return await self._threads.call(self._rollouts.abort, name, id, why=why)
