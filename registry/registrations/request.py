"""The request of a caller that uploads a model, and the decision on it."""

from typing import Any, Literal

import msgspec

from registry.history import NO_CAUSE, Cause


class RegistrationRequest(msgspec.Struct, frozen=True, kw_only=True):
    """The request of a caller, without the files."""

    model: str
    version: int = 0
    """0 until it was accepted."""
    created_at: str = ""
    trust: bool = False
    exact: bool = False
    alias: str | None = None
    """An alias that is pointed to the version once it is ready."""
    sample: str | None = None
    """Name of the sample's file; its suffix tells the format."""
    metadata: dict[str, str] = {}
    requirements: tuple[str, ...] = ()
    classes: tuple[Any, ...] | None = None
    max_queue_seconds: float | None = None
    timeout_seconds: float | None = None
    cause: Cause = NO_CAUSE

    @property
    def reference(self) -> str:
        """``model:version``."""
        return f"{self.model}:{self.version}"


class GateDecision(msgspec.Struct, frozen=True, kw_only=True):
    """The decision on a registration."""

    status: Literal["ready", "refused"]
    code: str = ""
    """Code of the error that it was refused for."""
    reason: str = ""
    rows: int = 0
    """Rows of the sample for which every door gave the model's own answers."""
    unknown: tuple[str, ...] = ()
    """Columns whose type neither a sample nor the model tells."""
    decided_at: str = ""


class IdempotentUse(msgspec.Struct, frozen=True):
    """A caller's idempotency key, and a hash of what came with it."""

    key: str
    payload: str
