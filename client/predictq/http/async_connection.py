"""Connections of `AsyncClient`, in one event loop of asyncio."""

from collections.abc import AsyncGenerator, Generator
from contextlib import closing
from typing import TypeVar

import httpx2

from predictq.http.flows import Done, Flow, Item, Pause, Step, Stream, fail, resume
from predictq.http.requests import Requests
from predictq.http.server import Server

S = TypeVar("S")
T = TypeVar("T")


class AsyncConnection:
    """Carries out flows; `Connection` for an event loop."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self._http = httpx2.AsyncClient(**server.client_options())
        self.requests = Requests(server, self._http)

    async def run(self, flow: Flow[T]) -> T:
        """Carry out a call; returns its value, or raises its error."""
        with closing(flow):
            step = resume(flow)
            while not isinstance(step, Done):
                step = await self._carried_out(flow, step)
            return step.value

    async def iterate(self, stream: Stream[T]) -> AsyncGenerator[T, None]:
        """Carry out a call as its values are asked for, and yield them."""
        with closing(stream):
            step = resume(stream)
            while not isinstance(step, Done):
                if isinstance(step, Item):
                    yield step.value
                    step = resume(stream)
                else:
                    step = await self._carried_out(stream, step)

    async def close(self) -> None:
        await self._http.aclose()

    async def _carried_out(
        self, flow: Generator[S, httpx2.Response | None, T], step: Step
    ) -> S | Done[T]:
        """Carry out a step; returns the next one."""
        if isinstance(step, Pause):
            await self.server.clock.sleep_async(step.seconds)
            return resume(flow)
        try:
            response = await self._http.send(step.request)
        except httpx2.RequestError as error:
            return fail(flow, error)
        return resume(flow, response)
