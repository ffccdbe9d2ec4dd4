"""Readiness of a version: whether its gate has passed, so that a bare name may mean it."""

from datetime import UTC, datetime
from typing import Any, Literal

import msgspec

ReadinessStatus = Literal["checking", "ready", "refused"]


class Readiness(msgspec.Struct, frozen=True, omit_defaults=True):
    """The state of a version, which changes while its manifest does not."""

    status: ReadinessStatus = "ready"
    reason: str = ""
    """Why the version was refused."""
    changed_at: str = ""
    """RFC 3339, UTC; empty for a version of an older release, which had no gate."""
    call_ms: dict[str, float] = {}
    """Rows in a call → milliseconds that the call took when the version was registered."""
    varies: bool = False
    """Whether two calls with the same row differed when the version was registered."""

    def with_status(self, status: ReadinessStatus, reason: str = "") -> "Readiness":
        """The state after a change of status, at this moment."""
        return msgspec.structs.replace(self, status=status, reason=reason, changed_at=now())


READY = Readiness()
"""State of a version without a state file."""


class GoldenRows(msgspec.Struct, frozen=True):
    """Rows of the sample with the model's own answers, as JSON has them.

    Workers compare them with their own answers at each load, so that an upgraded library or a
    damaged environment cannot change predictions silently.
    """

    rows: list[list[Any]]
    """Wire rows, in column order."""
    answers: dict[str, list[Any]]
    """Method → one answer per row."""


def now() -> str:
    """The current time as RFC 3339 text, in UTC, with milliseconds."""
    # `Z` rather than an offset, as all other times of the API have it.
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
