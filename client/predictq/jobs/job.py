"""The types of a batch job."""

from dataclasses import dataclass, field
from typing import Any

ENDED = frozenset({"completed", "completed_with_errors", "failed", "cancelled", "expired"})


@dataclass(frozen=True)
class Counts:
    """Rows by state. ``total`` is the sum of the others, and 0 until they are counted."""

    total: int = 0
    succeeded: int = 0
    failed: int = 0
    pending: int = 0
    running: int = 0
    cancelled: int = 0

    @property
    def done(self) -> int:
        """Rows that succeeded or failed."""
        return self.succeeded + self.failed


@dataclass(frozen=True)
class JobError:
    """Why a batch job failed."""

    code: str
    message: str
    line: int | None = None
    """Line of the input, if one line is at fault."""


@dataclass(frozen=True)
class RowError:
    """Why a row has no prediction."""

    line: int
    """Line of the input, from 1; in Parquet the number of the row."""
    code: str
    message: str
    custom_id: str | int | None = None


@dataclass(frozen=True, kw_only=True)
class Job:
    """A batch job: its request and its progress."""

    id: str
    status: str
    """``validating``, ``queued``, ``running``, ``finalizing``, ``cancelling``, or an end:
    ``completed``, ``completed_with_errors``, ``failed``, ``cancelled``, ``expired``."""
    model: str
    version: int
    alias: str | None = None
    """The alias used at submission, if any."""
    methods: tuple[str, ...]
    input: dict[str, Any]
    """``uri``, ``format``, ``bytes`` and ``fingerprint`` of the input, as far as known."""
    output: dict[str, Any]
    """``uri`` and ``format`` of the output, and its ``fingerprint`` once it is written."""
    created_at: float
    """Unix seconds, like all times here."""
    ended_at: float | None = None
    counts: Counts
    rows_per_second: float | None = None
    """Recent speed."""
    eta_seconds: float | None = None
    """Estimated seconds until all rows are computed; None while unknown."""
    error: JobError | None = None
    report: dict[str, Any] | None = field(default=None, compare=False)
    """The report of validation: ``rows``, ``columns``, ``estimated_seconds``, ``errors``, …

    None in lists, and while following except at the first and the last time."""
    expires_at: float | None = None
    """When a running job is ended; for one that has ended, when it is deleted with its files."""
    urls: dict[str, str] = field(default_factory=dict)

    @property
    def has_ended(self) -> bool:
        """Whether it has ended, and changes only if it is resumed."""
        return self.status in ENDED

    @property
    def has_output(self) -> bool:
        """Whether the complete output exists."""
        return self.status in ("completed", "completed_with_errors")
