"""Makes the baseline of a version from its sample and the model's own answers to it."""

from collections.abc import Iterator
from typing import Literal

import numpy as np
import pandas as pd

from registry.baseline import Baseline, BaselineFeature
from registry.manifest import Column, Signature
from workers.drift.counting import counts_of
from workers.drift.outputs import output_column, outputs_of
from workers.drift.values import counted_names, floats, is_ordered
from workers.models.signature.own_answers import OwnAnswers
from workers.models.tabular.columns import Array

MIN_SAMPLE_ROWS = 100
"""Rows without which a sample says too little; a thousand are better."""
COUNTED_COLUMNS = 100
"""Columns that are counted; of a wider model the first ones."""
MAX_NAMES = 20
"""Values of a named feature that are counted apart."""
MIN_TIMES = 5
"""Rows of the sample that a value must have to be counted apart."""
_DECILES = np.arange(0.1, 1.0, 0.1)


def baseline_of(signature: Signature, own: OwnAnswers | None) -> Baseline | None:
    """The baseline of a version; without features if its sample is too small.

    None if there is no sample.
    """
    if own is None:
        return None
    rows = len(own.frame)
    described = _features(signature, own) if rows >= MIN_SAMPLE_ROWS else ()
    return Baseline(rows, tuple(described))


def counted_columns(signature: Signature) -> list[tuple[int, Column]]:
    """The columns that are counted, with their positions."""
    used = [(i, column) for i, column in enumerate(signature.columns) if not column.unused]
    return used[:COUNTED_COLUMNS]


def _features(signature: Signature, own: OwnAnswers) -> Iterator[BaselineFeature]:
    for index, column in counted_columns(signature):
        yield described_feature("column", column, _array(own.frame.iloc[:, index]))
    for name, array in outputs_of(signature, own.answers):
        yield described_feature("output", output_column(signature, name, array), array)


def _array(series: pd.Series) -> Array:
    # What NumPy has no type for stays as it is: to convert a time with a zone would cost its type.
    return series.to_numpy() if isinstance(series.dtype, np.dtype) else series.array


def described_feature(
    kind: Literal["column", "output"], column: Column, array: Array
) -> BaselineFeature:
    """The buckets of a column or an output, with its values counted by them."""
    edges, names = _buckets(column, array)
    bare = BaselineFeature(column.name, kind, (), edges=edges, names=names)
    return BaselineFeature(
        *(bare.name, bare.kind, tuple(counts_of(bare, column, [array]).tolist())),
        edges=bare.edges,
        names=bare.names,
    )


def _buckets(column: Column, array: Array) -> tuple[tuple[float, ...], tuple[str, ...]]:
    """The edges of an ordered column, or the names of another one; the other is empty."""
    if is_ordered(column):
        known = floats(column, [array])
        return _edges(known[np.isfinite(known)]), ()
    frequent = counted_names([array]).most_common(MAX_NAMES + 1)
    names = [name for name, times in frequent if name is not None and times >= MIN_TIMES]
    return (), tuple(names[:MAX_NAMES])


def _edges(known: Array) -> tuple[float, ...]:
    """Just below the least value, deciles, and the greatest; those that differ."""
    if not len(known):
        return (0.0,)
    least, greatest = known.min(), known.max()
    # A decile that is itself a value, so that it belongs to one bucket wherever it is counted.
    deciles = np.quantile(known, _DECILES, method="inverted_cdf")
    inner = np.unique(np.append(deciles, greatest))
    return (float(np.nextafter(least, -np.inf)), *inner.tolist())
