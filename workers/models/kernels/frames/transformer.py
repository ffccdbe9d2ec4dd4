"""Column transformers over frames: each transformer's block is made in a shorter way.

What is not known here, such as a dtype that no mapping has, goes to scikit-learn's own methods.
"""

from collections.abc import Sequence
from typing import Any

import msgspec
import numpy as np
import pandas as pd

from workers.models.kernels.frames.blocks import Maker, SelectedColumns, maker_of
from workers.models.kernels.steps.scaling import gives_arrays
from workers.models.kernels.validated import MAX_DENSE
from workers.models.tabular.columns import Array

COLUMN_TRANSFORMER = "sklearn.compose._column_transformer.ColumnTransformer"


class PreparedTransformer(msgspec.Struct, frozen=True):
    """What `ColumnTransformerKernel` needs."""

    names: list[Any]
    """The columns of the frame, all of them."""
    makers: Sequence[Maker]
    """One for each transformer, in their order."""

    def blocks(self, given: Any) -> list[Any] | None:
        """The blocks of a frame; None if one of them is for scikit-learn to make."""
        if type(given) is not pd.DataFrame or given.columns.tolist() != self.names:
            return None
        if not len(given):
            return None
        found = [maker.block(given) for maker in self.makers]
        return None if any(block is None for block in found) else found


class ColumnTransformerKernel:
    """Overrides `transform`."""

    def transform(self, X: Any, **params: Any) -> Any:
        """See `sklearn.compose.ColumnTransformer`."""
        transformer: Any = self
        prepared: PreparedTransformer = transformer.kernel
        try:
            blocks = None if params else prepared.blocks(X)
        except Exception:  # noqa: BLE001 - scikit-learn's own way raises its own, with its words
            blocks = None
        stacked = None if blocks is None else _stacked(transformer, blocks, len(X))
        return super().transform(X, **params) if stacked is None else stacked  # type: ignore[misc]  # of scikit-learn's class


def prepare_transformer(transformer: Any) -> PreparedTransformer | None:
    """Find a shorter way for each transformer; None if there is none for any.

    None also if the transformer weighs its blocks, or gives frames, or was fitted on arrays.
    Raises what `maker_of` raises.
    """
    names = getattr(transformer, "feature_names_in_", np.empty(0)).tolist()
    if not names or len(set(names)) < len(names) or not gives_arrays(transformer):
        return None
    if transformer.transformer_weights:
        return None
    found = [
        (each, _listed(columns), columns)
        for _, each, columns, _ in transformer._iter(
            fitted=True, column_as_labels=True, skip_drop=True, skip_empty_columns=True
        )
    ]
    makers = [
        None if labels is None else maker_of(each, labels, [names.index(name) for name in labels])
        for each, labels, _ in found
    ]
    if not any(makers):
        return None
    return PreparedTransformer(
        names,
        [
            maker or SelectedColumns(_selection(), columns, each)
            for maker, (each, _, columns) in zip(makers, found, strict=True)
        ],
    )


def _listed(columns: Any) -> list[Any] | None:
    """The names of several columns; None for a single one, whose transformer gets a series."""
    return columns.tolist() if isinstance(columns, np.ndarray) else None


def _selection() -> Any:
    from sklearn.utils import _safe_indexing  # noqa: PLC0415 - it takes seconds, and is loaded here

    return _safe_indexing


def _stacked(transformer: Any, blocks: list[Any], rows: int) -> Any:
    """Stack the blocks as the overridden method does; None if that needs too much memory."""
    if not all(type(block) is np.ndarray and block.ndim == 2 for block in blocks):
        transformer._validate_output(blocks)
        return transformer._hstack(blocks, n_samples=rows)
    stacked: Array = np.hstack(blocks)
    if not transformer.sparse_output_:
        return stacked
    if stacked.size > MAX_DENSE or stacked.dtype == object:
        return None
    return sparse_rows(stacked)


def sparse_rows(dense: Array) -> Any:
    """A matrix as scikit-learn's sparse one, without its zeros."""
    from scipy.sparse import csr_matrix  # noqa: PLC0415 - it is loaded only with such a model

    return csr_matrix(dense)
