"""Deployments for an event loop: `Deployments`, in a thread."""

from typing import Any

from predictq.http.in_threads import InThreads
from predictq.http.server import Server
from predictq.models.deployments import PRODUCTION, Deployments
from predictq.models.models import Json


class AsyncDeployments:
    """The deployments of one server; `AsyncClient.deployments` is one. See `Deployments`."""

    def __init__(self, server: Server) -> None:
        self._threads = InThreads(server, "deployments")
        self._deployments = Deployments(self._threads.connection)

    async def __call__(self) -> list[Json]:
        """See `Deployments`: every deployment."""
        return await self._threads.call(self._deployments)

    async def deploy(
        self,
        name: str,
        version: int | None = None,
        environment: str = PRODUCTION,
        *,
        why: str = "",
        **limits: Any,
    ) -> Json:
        """See `Deployments.deploy`."""
        given = name, version, environment
        return await self._threads.call(self._deployments.deploy, *given, why=why, **limits)

    async def show(self, name: str, environment: str = PRODUCTION) -> Json:
        """See `Deployments.show`."""
        return await self._threads.call(self._deployments.show, name, environment)

    async def scale(
        self, name: str, environment: str = PRODUCTION, *, why: str = "", **limits: Any
    ) -> Json:
        """See `Deployments.scale`."""
        given = name, environment
        return await self._threads.call(self._deployments.scale, *given, why=why, **limits)

    async def stop(self, name: str, environment: str = PRODUCTION, *, why: str = "") -> Json:
        """See `Deployments.stop`."""
        return await self._threads.call(self._deployments.stop, name, environment, why=why)

    async def start(self, name: str, environment: str = PRODUCTION, *, why: str = "") -> Json:
        """See `Deployments.start`."""
        return await self._threads.call(self._deployments.start, name, environment, why=why)

    async def delete(self, name: str, environment: str = PRODUCTION, *, why: str = "") -> None:
        """See `Deployments.delete`."""
        await self._threads.call(self._deployments.delete, name, environment, why=why)

    def close(self) -> None:
        """Close the connections; calls that still run in threads fail."""
        self._threads.close()
