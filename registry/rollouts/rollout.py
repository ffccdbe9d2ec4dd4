"""A rollout: an alias that is moved from one version to another in steps."""

from typing import Literal

import msgspec

from registry.history import Cause
from registry.splits import Meaning
from telemetry.errors import Detail, Invalid

RolloutStatus = Literal["running", "paused", "completed", "aborted", "rolled_back", "stopped"]
MAX_STEPS = 20
MAX_STEP_REQUESTS = 10**9
MAX_LIMIT = 50.0
"""Greatest limit, in percent."""
MAX_EVERY = 30 * 86_400.0
"""Most seconds of one step."""
WHOLE = 100
"""Percent of the requests, at the last step."""


class RolloutPlan(msgspec.Struct, frozen=True, kw_only=True):
    """The plan of a rollout."""

    alias: str = "production"
    version: int
    """The candidate: the version that the alias is to mean in the end."""
    steps: tuple[int, ...] = (10, 50, WHOLE)
    """Percent of the requests that the candidate gets, step by step; the last one is 100."""
    every_seconds: float = 600.0
    """Seconds that each step lasts, at least."""
    requests: int = 100
    """Predictions that the candidate must have answered at a step before the next one begins."""
    max_failed: float | None = None
    """Percent of the candidate's predictions that may fail: the next step needs proof that fewer
    do. Without it, it is enough that they do not fail more often than those of the stable one."""

    def __post_init__(self) -> None:
        if not 1 <= len(self.steps) <= MAX_STEPS or self.steps[-1] != WHOLE:
            raise _invalid(
                "steps", f"a rollout has 1 to {MAX_STEPS} steps, and the last one is 100"
            )
        if self.steps[0] < 1 or sorted(set(self.steps)) != list(self.steps):
            raise _invalid("steps", "the steps are rising percents from 1 to 100")
        if not 1 <= self.requests <= MAX_STEP_REQUESTS:
            raise _invalid("requests", f"a step must have 1 to {MAX_STEP_REQUESTS} requests")
        if self.max_failed is not None and not 0 < self.max_failed <= MAX_LIMIT:
            raise _invalid("max_failed", f"a limit is more than 0 %, and {MAX_LIMIT:.0f} at most")
        if not 0 < self.every_seconds <= MAX_EVERY:
            raise _invalid(
                "every_seconds", f"a step lasts more than 0 s, and {MAX_EVERY:.0f} at most"
            )


class Rollout(RolloutPlan, frozen=True, kw_only=True):
    """A rollout, as it is stored and shown."""

    model: str
    id: int
    """Counted from 1 in each model."""
    stable: int
    """The version that the alias meant before, and means again if this is undone."""
    status: RolloutStatus = "running"
    """`stopped`: the alias was moved by hand, and stays as it is."""
    step: int = 0
    """How many steps have begun."""
    since: float
    """Unix seconds at which the present step or status began."""
    before: Meaning
    """What the alias meant before its last move."""
    moving: bool = False
    """Whether its last move may be unfinished: after a crash it is finished first of all."""
    revision: int = 0
    """Counts the changes of this rollout."""
    by: str = ""
    """The author of the last change."""
    why: str = ""
    """The reason of the last change."""

    @property
    def is_live(self) -> bool:
        """Whether it continues, or is paused."""
        return self.status in ("running", "paused")

    @property
    def is_undone(self) -> bool:
        """Whether the alias means the stable version again."""
        return self.status in ("aborted", "rolled_back")

    @property
    def share(self) -> int:
        """Percent of the requests that the candidate gets now."""
        return 0 if self.is_undone or not self.step else self.steps[self.step - 1]

    @property
    def split(self) -> str:
        """``model@alias``."""
        return f"{self.model}@{self.alias}"

    @property
    def meaning(self) -> Meaning:
        """What the alias means now, unless it was moved by hand."""
        if self.share in (0, WHOLE):
            return self.version if self.share else self.stable
        return {self.stable: WHOLE - self.share, self.version: self.share}

    def changed(self, now: float, cause: Cause, **fields: object) -> "Rollout":
        """The rollout after a change, whose move of the alias is still to be made."""
        after = msgspec.structs.replace(
            self, since=now, by=cause.by, why=cause.why, revision=self.revision + 1, **fields
        )
        return msgspec.structs.replace(after, before=self.meaning, moving=True)


def _invalid(field: str, message: str) -> Invalid:
    return Invalid(message, errors=[Detail((field,), message)])
