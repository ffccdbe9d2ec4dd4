"""The answer that shows the drift of a version."""

from typing import Literal

import msgspec

DriftStatus = Literal["steady", "drifted", "few_rows", "small_sample", "no_sample"]


class Bucket(msgspec.Struct, frozen=True, kw_only=True):
    """Values that are counted together."""

    label: str
    sample: float
    """Their share of the sample, from 0 to 1."""
    found: float
    """Their share of the counted rows, from 0 to 1."""


class FeatureDrift(msgspec.Struct, frozen=True, kw_only=True):
    """The drift of one feature."""

    name: str
    kind: Literal["column", "output"]
    drifted: bool
    psi: float
    """Population stability index."""
    bound: float
    """The bound that `psi` exceeds by chance only rarely; a feature above it has drifted."""
    distance: float | None
    """Kolmogorov and Smirnov's distance, from 0 to 1; null for values without an order."""
    missing: float
    """Share of missing values."""
    strange: float
    """Share of values outside the sample's range, or not among its frequent values."""
    buckets: tuple[Bucket, ...]
    """Missing values first."""
    psi_by_hour: tuple[float | None, ...]
    """One for each of `hours`; null if nothing was counted of the feature then."""


class HourRows(msgspec.Struct, frozen=True, kw_only=True):
    """How many rows were counted in one hour."""

    hour: str
    """Start of the hour, as RFC 3339 in UTC."""
    rows: int


class DriftState(msgspec.Struct, frozen=True, kw_only=True):
    """The drift of one version, over the last hours."""

    model: str
    version: int
    status: DriftStatus
    why: str
    """The drifted features, or the reason for which drift is unknown."""
    rows: int
    """Rows that were counted; many more may have been predicted."""
    sample_rows: int
    features: tuple[FeatureDrift, ...]
    """Columns, then outputs."""
    hours: tuple[HourRows, ...]
    """The hours that have rows, oldest first."""


class DriftedFeatures(msgspec.Struct, frozen=True, kw_only=True):
    """How many features of a version have drifted, for metrics."""

    rows: int
    columns: int
    outputs: int
