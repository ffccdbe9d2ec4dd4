"""Calls of a blocking client for an event loop: in threads, a bounded number at a time."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import ParamSpec, TypeVar

from predictq.http.connection import Connection
from predictq.http.server import Server

THREADS = 8
"""Calls that run at the same time; more wait for one of them."""
P = ParamSpec("P")
T = TypeVar("T")


class InThreads:
    """A connection, and the threads that use it.

    A call that is cancelled goes on in its thread, and its result is dropped.
    """

    def __init__(self, server: Server, name: str) -> None:
        self.connection = Connection(server)
        self._threads = ThreadPoolExecutor(THREADS, f"predictq-{name}")

    async def call(self, method: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Call a method that blocks."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._threads, partial(method, *args, **kwargs))

    async def each(self, items: Iterator[T]) -> AsyncIterator[T]:
        """Yield the items of an iterator that blocks."""
        end = object()
        while (item := await self.call(next, items, end)) is not end:
            yield item  # type: ignore[misc]  # it is not the end

    def close(self) -> None:
        """Close the connections; calls that still run in threads fail."""
        self.connection.close()
        self._threads.shutdown(wait=False, cancel_futures=True)
