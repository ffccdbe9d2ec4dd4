"""What the client gives back."""

from dataclasses import dataclass, field
from typing import Any, Protocol


@dataclass(frozen=True)
class Receipt:
    """Who answered, and how long it took."""

    model: str
    version: int
    sha256: str
    """Of the model's artifact."""
    alias: str | None
    """The alias that named the version at submission, if one did."""
    attempt: int
    """1 for the first computation."""
    queue_ms: float
    """From acceptance to the start of the computation."""
    compute_ms: float
    """In the model's own method, for the whole batch."""
    batch_size: int
    """Rows that went through the model in the same call."""
    runtime: str
    """Library and version that computed it."""


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
    """Where to ask about a prediction."""

    result: str
    cancel: str
    events: str | None = None


class Source(Protocol):
    """What a `Pending` asks for its outcome; a `Client` is one."""

    def result(self, id: str, wait: float | None = None) -> "Prediction | Pending": ...


@dataclass(frozen=True, kw_only=True)
class Pending:
    """A prediction that was accepted and has no outcome yet."""

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
    """From here on the id may be answered with `Gone`."""
    urls: Urls
    queue_position: int | None = field(default=None, compare=False)
    """1 is the next to be taken; None while it is not queued, or not known."""
    eta_seconds: float | None = field(default=None, compare=False)
    """Until its outcome, by the pace of the workers; None while that is not known."""
    waiting_for: str | None = field(default=None, compare=False)
    """``no_worker``, ``model_loading``, ``capacity`` or ``paused``; None while not queued."""
    retry_after: float = field(compare=False)
    """Seconds after which the server wants to be asked again."""
    source: Source = field(repr=False, compare=False)

    def result(self, wait: float | None = None) -> "Prediction | Pending":
        """The outcome, or how it stands after ``wait`` seconds; see `Client.result`."""
        return self.source.result(self.id, wait)
