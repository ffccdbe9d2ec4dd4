"""Counts the values of one feature by the buckets of its baseline."""

from collections.abc import Sequence

import numpy as np

from registry.baseline import BaselineFeature
from registry.manifest import Column
from workers.drift.values import counted_names, floats
from workers.models.tabular.columns import Array


def counts_of(feature: BaselineFeature, column: Column, arrays: Sequence[Array]) -> Array:
    """How many of the values lie in each bucket: as `BaselineFeature.counts`."""
    if feature.is_ordered:
        return _by_edges(feature.edges, floats(column, arrays))
    found = counted_names(arrays)
    named = [found.pop(name, 0) for name in feature.names]
    missing = found.pop(None, 0)
    return np.array([missing, found.total(), *named])


def _by_edges(edges: tuple[float, ...], values: Array) -> Array:
    buckets = np.where(np.isnan(values), 0, np.searchsorted(edges, values) + 1)
    return np.bincount(buckets, minlength=len(edges) + 2)
