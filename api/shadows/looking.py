"""Looks at a shadow: what was compared of its answers, and what that proves."""

import msgspec

from registry.storage.model_settings import Shadow
from registry.store import Registry
from tasks.shadows.shadows import Disagreement, Shadows
from tasks.shadows.verdict import Agreement, agreement, evidence_of_agreement
from telemetry.errors import NotFound


class ShadowState(msgspec.Struct, frozen=True, kw_only=True):
    """A shadow, and what was compared since it was set."""

    model: str
    alias: str
    version: int
    rate: float
    """Percent of the alias's predictions that are copied."""
    tolerance: float
    since: int
    """Unix seconds."""
    rows: int
    """Rows that both versions answered, or the shadow failed for."""
    disagreed: int
    """Rows whose answers differ, or that the shadow failed for."""
    failed: int
    """Rows that the shadow failed for."""
    dropped: int
    """Copies that were not made, as too much waited for the workers of batch jobs."""
    verdict: Agreement
    path: list[tuple[int, float]]
    """How the evidence of agreement grew: rows, and the evidence then."""


class ShadowLook:
    """Looks at the shadows of a registry."""

    def __init__(self, registry: Registry, shadows: Shadows) -> None:
        self._registry, self._shadows = registry, shadows

    def find(self, name: str, alias: str) -> ShadowState | None:
        """The shadow of an alias; None if it has none. Raises `ModelNotFound`."""
        found = self._registry.settings(name).shadows.get(alias)
        return None if found is None else self._state(name, alias, found)

    def show(self, name: str, alias: str) -> ShadowState:
        """As `find`; raises `NotFound` if there is none."""
        return self._state(name, alias, self._shadow(name, alias))

    def examples(self, name: str, alias: str) -> list[Disagreement]:
        """The newest rows for which the answers differed; raises `NotFound`."""
        return self._shadows.examples(f"{name}@{alias}", self._shadow(name, alias).since)

    def _shadow(self, name: str, alias: str) -> Shadow:
        found = self._registry.settings(name).shadows.get(alias)
        if found is None:
            raise NotFound(f"{name}@{alias} has no shadow")
        return found

    def _state(self, name: str, alias: str, shadow: Shadow) -> ShadowState:
        split = f"{name}@{alias}"
        compared = self._shadows.read(split, shadow.since)
        path = self._shadows.path(split, shadow.since)
        return ShadowState(
            model=name,
            alias=alias,
            **msgspec.structs.asdict(shadow),
            **msgspec.structs.asdict(compared),
            verdict=agreement(compared),
            path=[(rows, evidence_of_agreement(rows, bad)) for rows, bad in path],
        )
