"""Looks at the drift of a version: its baseline beside what workers counted."""

from collections.abc import Sequence
from datetime import UTC, datetime

from api.drift.states import (
    Bucket,
    DriftedFeatures,
    DriftState,
    DriftStatus,
    FeatureDrift,
    HourRows,
)
from registry.baseline import Baseline, BaselineFeature
from registry.manifest import Manifest
from registry.store import Registry
from tasks.drift.counts import DriftCounts, HourCounts
from tasks.drift.measuring import JUDGED_ROWS, Measured, measured

SHOWN_NAMES = 5
"""Drifted features that a sentence names."""
DAY_HOURS = 24
"""Hours of a look without other ones: a whole day, as nights differ from days."""


class DriftLook:
    """Looks at the drift of versions."""

    def __init__(self, registry: Registry, counts: DriftCounts) -> None:
        self._registry, self._counts = registry, counts

    def drifted(self, manifest: Manifest) -> DriftedFeatures | None:
        """How many features of a version have drifted in a day; None without rows."""
        baseline = self._registry.baseline(manifest)
        if baseline is None or not baseline.features:
            return None
        total, found = self._read(manifest, baseline, DAY_HOURS)
        if not found:
            return None
        parts = [
            (feature.kind, _is_drifted(feature, counts, len(baseline.features)))
            for feature, counts in _by_feature(baseline, total)
        ]
        return DriftedFeatures(
            rows=_rows(baseline, total),
            columns=sum(drifted for kind, drifted in parts if kind == "column"),
            outputs=sum(drifted for kind, drifted in parts if kind == "output"),
        )

    def look(self, manifest: Manifest, hours: int = DAY_HOURS) -> DriftState:
        """The drift of a version over the last hours; raises `redis.RedisError`."""
        baseline = self._registry.baseline(manifest)
        if baseline is None or not baseline.features:
            return _without(manifest, baseline)
        total, found = self._read(manifest, baseline, hours)
        features = _features(baseline, total, found)
        rows = _rows(baseline, total)
        status, why = _judged(rows, features)
        return DriftState(
            model=manifest.name,
            version=manifest.version,
            status=status,
            why=why,
            rows=rows,
            sample_rows=baseline.rows,
            features=features,
            hours=tuple(
                HourRows(hour=_time(each.hour), rows=_rows(baseline, each.counts)) for each in found
            ),
        )

    def _read(
        self, manifest: Manifest, baseline: Baseline, hours: int
    ) -> tuple[list[int], list[HourCounts]]:
        """All counts of these hours together, and those of each."""
        size = baseline.starts[-1]
        found = self._counts.read(manifest.reference, baseline.digest, size, hours)
        total = [sum(place) for place in zip(*(each.counts for each in found), strict=True)]
        return total or [0] * size, found


def _without(manifest: Manifest, baseline: Baseline | None) -> DriftState:
    rows = baseline.rows if baseline else 0
    why = (
        f"the sample has {rows} rows, and 100 are needed, better 1,000: register it with more"
        if rows
        else "the version was registered without a sample: give one with --sample"
    )
    return DriftState(
        model=manifest.name,
        version=manifest.version,
        status="small_sample" if rows else "no_sample",
        why=why,
        rows=0,
        sample_rows=rows,
        features=(),
        hours=(),
    )


def _judged(rows: int, features: Sequence[FeatureDrift]) -> tuple[DriftStatus, str]:
    if rows < JUDGED_ROWS:
        return "few_rows", f"{rows} rows were counted, and {JUDGED_ROWS} are needed"
    drifted = sorted((each for each in features if each.drifted), key=lambda each: -each.psi)
    if not drifted:
        return "steady", f"no feature of {len(features)} is beyond its bound"
    named = ", ".join(f"{each.name} ({each.psi:.2f})" for each in drifted[:SHOWN_NAMES])
    more = f" and {len(drifted) - SHOWN_NAMES} more" if len(drifted) > SHOWN_NAMES else ""
    return "drifted", f"{named}{more}"


def _rows(baseline: Baseline, counts: Sequence[int]) -> int:
    """Each row is counted once by every column."""
    return sum(counts[: baseline.starts[1]])


def _features(
    baseline: Baseline, total: Sequence[int], hours: Sequence[HourCounts]
) -> tuple[FeatureDrift, ...]:
    by_hour = [[counts for _, counts in _by_feature(baseline, each.counts)] for each in hours]
    return tuple(
        _feature(feature, counts, [each[place] for each in by_hour], len(baseline.features))
        for place, (feature, counts) in enumerate(_by_feature(baseline, total))
    )


def _by_feature(
    baseline: Baseline, counts: Sequence[int]
) -> list[tuple[BaselineFeature, Sequence[int]]]:
    bounds = zip(baseline.starts, baseline.starts[1:], strict=False)
    return [
        (feature, counts[start:end])
        for feature, (start, end) in zip(baseline.features, bounds, strict=True)
    ]


def _measured(feature: BaselineFeature, counts: Sequence[int], features: int) -> Measured:
    return measured(feature.counts, counts, features, is_ordered=feature.is_ordered)


def _is_drifted(feature: BaselineFeature, counts: Sequence[int], features: int) -> bool:
    return sum(counts) >= JUDGED_ROWS and _measured(feature, counts, features).is_beyond


def _feature(
    feature: BaselineFeature, found: Sequence[int], hours: Sequence[Sequence[int]], features: int
) -> FeatureDrift:
    result = _measured(feature, found, features)
    shares = _shares(found)
    return FeatureDrift(
        name=feature.name,
        kind=feature.kind,
        drifted=_is_drifted(feature, found, features),
        psi=result.psi if any(found) else 0.0,
        bound=result.bound,
        distance=result.distance if any(found) else None,
        missing=shares[0],
        strange=shares[1] + (shares[-1] if feature.is_ordered else 0.0),
        buckets=tuple(
            Bucket(label=label, sample=sample, found=share)
            for label, sample, share in zip(
                _labels(feature), _shares(feature.counts), shares, strict=True
            )
        ),
        psi_by_hour=tuple(
            _measured(feature, each, features).psi if any(each) else None for each in hours
        ),
    )


def _shares(counts: Sequence[int]) -> list[float]:
    total = sum(counts) or 1
    return [count / total for count in counts]


def _labels(feature: BaselineFeature) -> list[str]:
    if not feature.is_ordered:
        return ["missing", "other", *feature.names]
    edges = [f"{edge:.6g}" for edge in feature.edges]
    return ["missing", f"< {edges[0]}", *(f"≤ {edge}" for edge in edges[1:]), f"> {edges[-1]}"]


def _time(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat().replace("+00:00", "Z")
