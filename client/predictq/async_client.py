"""The `AsyncClient`: the calls of `Client` for an event loop of asyncio."""

from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import aclosing
from typing import Any, Self, TypeVar

from predictq.access.async_keys import AsyncKeys
from predictq.bulk.mapping import Progress
from predictq.bulk.results import Completed
from predictq.calls import Calls
from predictq.errors import PredictqError
from predictq.http.async_connection import AsyncConnection
from predictq.http.keys import GivenKey
from predictq.http.retries import Clock
from predictq.http.server import Server
from predictq.jobs.async_jobs import AsyncJobs
from predictq.models.async_deployments import AsyncDeployments
from predictq.models.async_models import AsyncModels
from predictq.submission import Fields
from predictq.types import Accepted, AsyncPending, Prediction

F = TypeVar("F")


class AsyncClient:
    """A `Client` whose calls are awaited; it belongs to one event loop.

    It takes the same arguments and raises the same errors. Any number of calls may wait at the
    same time, over up to 100 connections. A call that is cancelled sends nothing more; what it has
    submitted goes on.
    """

    def __init__(
        self,
        url: str | None = None,
        *,
        key: GivenKey | None = None,
        timeout: float | None = None,
        clock: Clock | None = None,
    ) -> None:
        server = Server(url, timeout, clock or Clock(), key=key)
        self._connection = AsyncConnection(server)
        self._calls = Calls(server, self._connection.requests)
        self.jobs = AsyncJobs(server)
        """Batch jobs of this server."""
        self.keys = AsyncKeys(server)
        """The API keys of this server."""
        self.models = AsyncModels(server)
        """The registry of this server; calling it lists the models."""
        self.deployments = AsyncDeployments(server)
        """The deployments of this server; calling it lists them."""

    async def predict(
        self,
        model: str,
        rows: Any,
        *,
        method: str = "predict",
        timeout: float | None = None,
        max_queue_seconds: float | None = None,
        timeout_seconds: float | None = None,
        sticky: str | None = None,
        cache: bool | int | None = None,
        priority: str | None = None,
    ) -> Prediction:
        """See `Client.predict`."""
        limits = max_queue_seconds, timeout_seconds
        fields = Fields(model, method, *limits, sticky, cache, priority)
        return await self._connection.run(self._calls.predict(fields, rows, timeout))

    async def predict_frame(
        self,
        model: str,
        frame: F,
        *,
        method: str = "predict",
        timeout: float | None = None,
        max_queue_seconds: float | None = None,
        timeout_seconds: float | None = None,
        sticky: str | None = None,
        cache: bool | int | None = None,
        priority: str | None = None,
    ) -> F:
        """See `Client.predict_frame`."""
        limits = max_queue_seconds, timeout_seconds
        fields = Fields(model, method, *limits, sticky, cache, priority)
        return await self._connection.run(self._calls.predict_frame(fields, frame, timeout))

    async def submit(
        self,
        model: str,
        rows: Any,
        *,
        method: str = "predict",
        idempotency_key: str | None = None,
        max_queue_seconds: float | None = None,
        timeout_seconds: float | None = None,
        sticky: str | None = None,
        cache: bool | int | None = None,
        priority: str | None = None,
    ) -> AsyncPending:
        """See `Client.submit`."""
        limits = max_queue_seconds, timeout_seconds
        fields = Fields(model, method, *limits, sticky, cache, priority)
        accepted = await self._connection.run(self._calls.submit(fields, rows, idempotency_key))
        return self._pending(accepted)

    async def submit_many(
        self,
        model: str,
        rows: Any,
        *,
        method: str = "predict",
        idempotency_key: str | None = None,
        max_queue_seconds: float | None = None,
        timeout_seconds: float | None = None,
        sticky: str | None = None,
        cache: bool | int | None = None,
        priority: str | None = None,
    ) -> list[str]:
        """See `Client.submit_many`."""
        limits = max_queue_seconds, timeout_seconds
        fields = Fields(model, method, *limits, sticky, cache, priority)
        return await self._connection.run(self._calls.submit_many(fields, rows, idempotency_key))

    async def map(
        self,
        model: str,
        rows: Any,
        *,
        method: str = "predict",
        ordered: bool = True,
        return_exceptions: bool = False,
        progress: Progress | None = None,
        timeout: float | None = None,
        max_queue_seconds: float | None = None,
        timeout_seconds: float | None = None,
        sticky: str | None = None,
        cache: bool | int | None = None,
        priority: str | None = None,
    ) -> AsyncIterator[Prediction | PredictqError]:
        """See `Client.map`; ``rows`` are read in the event loop, so they must not block."""
        limits = max_queue_seconds, timeout_seconds
        fields = Fields(model, method, *limits, sticky, cache, priority)
        outcomes = self._connection.iterate(
            self._calls.map(fields, rows, timeout, ordered=ordered, progress=progress)
        )
        async with aclosing(outcomes):
            async for outcome in outcomes:
                if isinstance(outcome, PredictqError) and not return_exceptions:
                    raise outcome
                yield outcome

    def as_completed(
        self, ids: Iterable[str], timeout: float | None = None
    ) -> AsyncIterator[Completed]:
        """See `Client.as_completed`."""
        return self._connection.iterate(self._calls.as_completed(ids, timeout))

    async def result(self, id: str, wait: float | None = None) -> Prediction | AsyncPending:
        """See `Client.result`."""
        answer = await self._connection.run(self._calls.result(id, wait))
        return answer if isinstance(answer, Prediction) else self._pending(answer)

    async def cancel(self, id: str) -> None:
        """See `Client.cancel`."""
        await self._connection.run(self._calls.cancel(id))

    async def label(self, labels: Mapping[str, Any]) -> list[dict[str, Any]]:
        """See `Client.label`."""
        return await self._connection.run(self._calls.label(labels))

    async def model(self, name: str) -> dict[str, Any]:
        """See `Client.model`."""
        return await self._connection.run(self._calls.model(name))

    async def health(self) -> dict[str, Any]:
        """See `Client.health`."""
        return await self._connection.run(self._calls.health())

    async def ready(self) -> bool:
        """See `Client.ready`."""
        return await self._connection.run(self._calls.ready())

    async def close(self) -> None:
        """Close the connections; call it in the event loop that used the client."""
        await self._connection.close()
        self.jobs.close()
        self.models.close()
        self.keys.close()
        self.deployments.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    def _pending(self, accepted: Accepted) -> AsyncPending:
        return AsyncPending(**vars(accepted), source=self)
