"""A batch job, as the server tells of it."""

from dataclasses import dataclass, field
from typing import Any

ENDED = frozenset({"completed", "completed_with_errors", "failed", "cancelled", "expired"})


@dataclass(frozen=True)
class Counts:
    """Rows; ``total`` is the sum of the others, and 0 until they are counted."""

    total: int = 0
    succeeded: int = 0
    failed: int = 0
    pending: int = 0
    running: int = 0
    cancelled: int = 0

    @property
    def done(self) -> int:
        """Rows that have an outcome."""
        return self.succeeded + self.failed


@dataclass(frozen=True)
class JobError:
    """Why a batch job failed."""

    code: str
    message: str
    line: int | None = None
    """Of the input, where one line is to blame."""


@dataclass(frozen=True)
class RowError:
    """Why a row has no prediction."""

    line: int
    """From 1; the row's number in Parquet."""
    code: str
    message: str
    custom_id: str | int | None = None


@dataclass(frozen=True, kw_only=True)
class Job:
    """A batch job: what was asked for, and how far it is."""

    id: str
    status: str
    """``validating``, ``queued``, ``running``, ``finalizing``, ``cancelling``, or an end:
    ``completed``, ``completed_with_errors``, ``failed``, ``cancelled``, ``expired``."""
    model: str
    version: int
    alias: str | None = None
    """The alias that named the version at submission, if one did."""
    methods: tuple[str, ...]
    input: dict[str, Any]
    """Its ``uri``, ``format``, ``bytes`` and ``fingerprint``, as far as they are known."""
    output: dict[str, Any]
    """Its ``uri`` and ``format``, and, once it is there, its ``fingerprint``."""
    created_at: float
    """Unix seconds, as all times here."""
    ended_at: float | None = None
    counts: Counts
    rows_per_second: float | None = None
    """Of late."""
    eta_seconds: float | None = None
    """Until all rows are computed; None while that is not known."""
    error: JobError | None = None
    report: dict[str, Any] | None = field(default=None, compare=False)
    """What validation found: ``rows``, ``columns``, ``estimated_seconds``, ``errors``, …

    Jobs in lists come without, and those that are followed, but for the first and the last."""
    expires_at: float | None = None
    """When it ends, if it still runs; when it is forgotten with its files, once it has ended."""
    urls: dict[str, str] = field(default_factory=dict)

    @property
    def has_ended(self) -> bool:
        """Whether nothing more happens to it, unless it is resumed."""
        return self.status in ENDED

    @property
    def has_output(self) -> bool:
        """Whether its output is there, whole."""
        return self.status in ("completed", "completed_with_errors")
