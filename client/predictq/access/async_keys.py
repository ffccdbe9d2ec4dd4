"""The API keys of a server for an event loop: `Keys`, in threads."""

from collections.abc import Iterable
from typing import Any

from predictq.access.keys import Json, Keys
from predictq.http.in_threads import InThreads
from predictq.http.server import Server


class AsyncKeys:
    """The API keys of one server; `AsyncClient.keys` is one. See `Keys` for each call."""

    def __init__(self, server: Server) -> None:
        self._threads = InThreads(server, "keys")
        self._keys = Keys(self._threads.connection)

    async def __call__(self) -> list[Json]:
        """See `Keys`: every key."""
        return await self._threads.call(self._keys)

    async def create(self, name: str, scopes: Iterable[str], **limits: Any) -> Json:
        """See `Keys.create`."""
        return await self._threads.call(self._keys.create, name, scopes, **limits)

    async def show(self, key: str) -> Json:
        """See `Keys.show`."""
        return await self._threads.call(self._keys.show, key)

    async def rotate(self, key: str, *, overlap: float = 86_400) -> Json:
        """See `Keys.rotate`."""
        return await self._threads.call(self._keys.rotate, key, overlap=overlap)

    async def revoke(self, key: str) -> Json:
        """See `Keys.revoke`."""
        return await self._threads.call(self._keys.revoke, key)

    def close(self) -> None:
        """Close the connections; calls that still run in threads fail."""
        self._threads.close()
