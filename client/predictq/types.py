"""The types that the client returns."""

from dataclasses import dataclass, field
from typing import Any, Protocol


@dataclass(frozen=True)
class Receipt:
    """Which version answered, and how long it took."""

    model: str
    version: int
    sha256: str
    """SHA-256 of the model's artifact."""
    alias: str | None
    """The alias used at submission, if any."""
    attempt: int
    """Number of this attempt, from 1."""
    queue_ms: float
    """Milliseconds from acceptance to the start of the computation."""
    compute_ms: float
    """Milliseconds in the model's method, for the whole microbatch."""
    batch_size: int
    """Rows in the same model call, of this request and others."""
    runtime: str
    """Library and version that computed the prediction."""
    environment: str | None = None
    """The environment of the deployment that computed it; None for the shared workers."""
    cached: bool = False
    """Whether it was computed for another prediction with the same rows."""
    tenant: str | None = None
    """Whose prediction it was; None for the default tenant."""


@dataclass(frozen=True)
class Prediction:
    """A prediction that succeeded."""

    id: str
    status: str
    predictions: list[Any]
    """One per row, in order; None is a missing value."""
    receipt: Receipt


@dataclass(frozen=True)
class Urls:
    """Paths of a prediction's resources."""

    result: str
    cancel: str
    events: str | None = None


class Source(Protocol):
    """Where a `Pending` looks up its outcome: a `Client`."""

    def result(self, id: str, wait: float | None = None) -> "Prediction | Pending": ...


class AsyncSource(Protocol):
    """Where an `AsyncPending` looks up its outcome: an `AsyncClient`."""

    async def result(self, id: str, wait: float | None = None) -> "Prediction | AsyncPending": ...


@dataclass(frozen=True, kw_only=True)
class Accepted:
    """The server's answer for a prediction that it accepted and that has no outcome yet."""

    id: str
    task_id: str
    """The Celery task's id, as Flower shows it."""
    status: str
    """``queued``, ``running`` or ``retrying``."""
    model: str
    version: int
    created_at: str
    """RFC 3339, UTC."""
    expires_at: str | None = None
    """From this time on a look-up may raise `Gone`."""
    urls: Urls
    queue_position: int | None = field(default=None, compare=False)
    """1 is taken next; None if it is not queued, or unknown."""
    eta_seconds: float | None = field(default=None, compare=False)
    """Estimated seconds until the outcome; None while unknown."""
    waiting_for: str | None = field(default=None, compare=False)
    """``no_worker``, ``model_loading``, ``capacity`` or ``paused``; None if it is not queued."""
    retry_after: float = field(compare=False)
    """Seconds to wait before the next look-up, as the server asks."""


@dataclass(frozen=True, kw_only=True)
class Pending(Accepted):
    """A prediction that was accepted and has no outcome yet."""

    source: Source = field(repr=False, compare=False)

    def result(self, wait: float | None = None) -> "Prediction | Pending":
        """The prediction, or its state after ``wait`` seconds; see `Client.result`."""
        return self.source.result(self.id, wait)


@dataclass(frozen=True, kw_only=True)
class AsyncPending(Accepted):
    """A `Pending` of an `AsyncClient`."""

    source: AsyncSource = field(repr=False, compare=False)

    async def result(self, wait: float | None = None) -> "Prediction | AsyncPending":
        """The prediction, or its state after ``wait`` seconds; see `AsyncClient.result`."""
        return await self.source.result(self.id, wait)
