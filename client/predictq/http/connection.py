"""Connections of `Client`: blocking, and shared between threads."""

from collections.abc import Generator, Iterator, Mapping
from contextlib import closing, contextmanager
from typing import IO, Any, TypeVar

import httpx2

from predictq.errors import PredictqError
from predictq.http.flows import Done, Flow, Item, Pause, Step, Stream, fail, resume
from predictq.http.requests import CONNECT_TIMEOUT, GRACE, Requests
from predictq.http.retries import Deadline
from predictq.http.server import Server

MAX_SILENCE_SECONDS = 15.0
"""Seconds without a byte after which a stream counts as broken; the server sends more often."""

S = TypeVar("S")
T = TypeVar("T")


class Connection:
    """Carries out flows, and streams responses."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self._http = httpx2.Client(**server.client_options())
        self.requests = Requests(server, self._http)
        self.deadline, self.limit = server.deadline, server.limit

    def run(self, flow: Flow[T]) -> T:
        """Carry out a call; returns its value, or raises its error."""
        step = resume(flow)
        while not isinstance(step, Done):
            step = self._carried_out(flow, step)
        return step.value

    def iterate(self, stream: Stream[T]) -> Iterator[T]:
        """Carry out a call as its values are asked for, and yield them."""
        with closing(stream):
            step = resume(stream)
            while not isinstance(step, Done):
                if isinstance(step, Item):
                    yield step.value
                    step = resume(stream)
                else:
                    step = self._carried_out(stream, step)

    def send(self, method: str, path: str, **options: Any) -> httpx2.Response:
        """Carry out `Requests.send`."""
        return self.run(self.requests.send(method, path, **options))

    def upload(
        self,
        path: str,
        fields: Mapping[str, Any],
        files: Mapping[str, tuple[str, IO[bytes]]],
        **options: Any,
    ) -> httpx2.Response:
        """Carry out `Requests.upload`."""
        return self.run(self.requests.upload(path, fields, files, **options))

    @contextmanager
    def stream(
        self, path: str, headers: Mapping[str, str] | None = None, until: Deadline | None = None
    ) -> Iterator[httpx2.Response]:
        """The response to a GET; the body is read only for an error status.

        Raises `Unreachable` if the connection breaks, stays silent, or is not made ``until`` then.
        """
        if self._http.is_closed:
            raise PredictqError("the client is closed")
        limit = min(MAX_SILENCE_SECONDS, until.left() + GRACE) if until else MAX_SILENCE_SECONDS
        timeout = httpx2.Timeout(limit, connect=min(limit, CONNECT_TIMEOUT))
        with (
            self.server.converting_errors(),
            self._http.stream("GET", path, headers=headers, timeout=timeout) as got,
        ):
            if not got.is_success:
                got.read()
            self.server.is_met = True
            yield got

    def close(self) -> None:
        self._http.close()

    def _carried_out(
        self, flow: Generator[S, httpx2.Response | None, T], step: Step
    ) -> S | Done[T]:
        """Carry out a step; returns the next one."""
        if isinstance(step, Pause):
            self.server.clock.sleep(step.seconds)
            return resume(flow)
        try:
            response = self._http.send(step.request)
        except httpx2.RequestError as error:
            return fail(flow, error)
        return resume(flow, response)
