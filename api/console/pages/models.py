"""Models and their versions, as tables show them."""

from collections.abc import Iterable, Mapping

import msgspec

from registry.manifest import Manifest
from registry.readiness import Readiness
from registry.splits import Meaning, pointing_to
from registry.store import Registry
from tasks.ledger.pauses.pauses import Paused
from tasks.ledger.statistics import Statistics


class VersionRow(msgspec.Struct, frozen=True, kw_only=True):
    """One version."""

    manifest: Manifest
    state: Readiness
    aliases: list[str]
    is_latest: bool
    paused: Paused | None
    succeeded: int
    failed: int
    p50: float | None
    """Seconds from acceptance to outcome, over all outcomes that were ever written."""
    p95: float | None
    p99: float | None


class ModelRow(msgspec.Struct, frozen=True, kw_only=True):
    """One model with its versions, the newest first."""

    name: str
    latest: int | None
    aliases: dict[str, Meaning]
    versions: list[VersionRow]

    @property
    def is_paused(self) -> bool:
        """Whether any of its versions is paused."""
        return any(version.paused for version in self.versions)

    @property
    def succeeded(self) -> int:
        """Successes of all versions."""
        return sum(version.succeeded for version in self.versions)

    @property
    def failed(self) -> int:
        """Failures of all versions."""
        return sum(version.failed for version in self.versions)

    @property
    def shown(self) -> VersionRow | None:
        """The version whose latencies the list of models shows: the latest, else the newest."""
        latest = (version for version in self.versions if version.is_latest)
        return next(latest, self.versions[0] if self.versions else None)


def model_row(
    name: str, registry: Registry, statistics: Iterable[Statistics], paused: Iterable[Paused]
) -> ModelRow:
    """The row of a model; raises `ModelNotFound`."""
    counted = {version.reference: version for version in statistics}
    pauses = {version.model: version for version in paused}
    aliases, latest = registry.aliases(name), registry.latest(name)
    return ModelRow(
        name=name,
        latest=latest,
        aliases=aliases,
        versions=[
            _version(manifest, registry.readiness(manifest), aliases, latest, counted, pauses)
            for manifest in reversed(registry.versions(name))
        ],
    )


def _version(
    manifest: Manifest,
    state: Readiness,
    aliases: Mapping[str, Meaning],
    latest: int | None,
    counted: Mapping[str, Statistics],
    pauses: Mapping[str, Paused],
) -> VersionRow:
    known = counted.get(manifest.reference)
    p50, p95, p99 = (known.percentile(share) if known else None for share in (0.5, 0.95, 0.99))
    return VersionRow(
        manifest=manifest,
        state=state,
        aliases=pointing_to(aliases, [manifest.version]),
        is_latest=manifest.version == latest,
        paused=pauses.get(manifest.reference),
        succeeded=known.outcomes["succeeded"] if known else 0,
        failed=known.outcomes["failed"] if known else 0,
        p50=p50,
        p95=p95,
        p99=p99,
    )
