"""What each transformer of a column transformer makes of a frame: one block of the matrix."""

from collections.abc import Sequence
from functools import partial
from typing import Any, Protocol

import msgspec
import numpy as np
import pandas as pd

from workers.models.kernels.frames.encoders import Asked, EncodedColumns, encoder_mappings
from workers.models.kernels.frames.reading import columns_of, matrix_of
from workers.models.kernels.sklearn_classes import is_copied, original_name
from workers.models.tabular.columns import FLOAT, OBJECT, Array

IMPUTER = "sklearn.impute._base.SimpleImputer"
_ONE_HOT = "sklearn.preprocessing._encoders.OneHotEncoder"
_ENCODERS = frozenset(
    {
        _ONE_HOT,
        "sklearn.preprocessing._encoders.OrdinalEncoder",
        "sklearn.preprocessing._target_encoder.TargetEncoder",
    }
)
_SHORT = frozenset(
    {
        IMPUTER,
        "sklearn.preprocessing._data.MinMaxScaler",
        "sklearn.preprocessing._data.StandardScaler",
    }
)
"""Steps that give an array what they give a frame; those that have a kernel are asked."""
_PASSED = "sklearn.preprocessing._function_transformer.FunctionTransformer"


class Maker(Protocol):
    """Makes one block."""

    def block(self, frame: pd.DataFrame) -> Any:
        """The bits of scikit-learn's own block; None if that is for scikit-learn to make."""


class NumberColumns(msgspec.Struct, frozen=True):
    """Columns of numbers, and what is done with their matrix."""

    indices: list[int]
    steps: Sequence[Any]
    is_float: bool
    """Whether the first step makes floats of whole numbers."""

    def block(self, frame: pd.DataFrame) -> Array | None:
        """See `Maker`."""
        matrix = matrix_of(columns_of(frame, self.indices))
        if matrix is None or (self.steps and matrix.dtype == OBJECT):
            return None
        if self.is_float:
            matrix = matrix.astype(FLOAT, copy=False)
        elif self.steps and matrix.dtype != FLOAT:
            return None
        for step in self.steps:
            matrix = step.transform(matrix)
        return matrix


class StepsAfter(msgspec.Struct, frozen=True):
    """Steps after those that another maker stands for; they get an array as ever."""

    first: Maker
    steps: Sequence[Any]

    def block(self, frame: pd.DataFrame) -> Any:
        """See `Maker`."""
        found = self.first.block(frame)
        for step in self.steps if found is not None else ():
            found = step.transform(found)
        return found


class SelectedColumns(msgspec.Struct, frozen=True):
    """Columns for which the transformer itself is asked, with a frame of them."""

    select: Any
    """scikit-learn's own selection: (frame, columns, axis=) → frame."""
    columns: Any
    transformer: Any

    def block(self, frame: pd.DataFrame) -> Any:
        """See `Maker`."""
        return self.transformer.transform(self.select(frame, self.columns, axis=1))


def maker_of(transformer: Any, names: list[Any], indices: list[int]) -> Maker | None:
    """A maker for a fitted transformer of these columns; None if there is no shorter way.

    Raises what its steps raise for values that they know.
    """
    steps = _steps(transformer)
    kinds = [original_name(type(step)) for step in steps]
    if kinds[0] == _PASSED:
        return _passed(steps, indices)
    if kinds[0] in _ENCODERS:
        return _encoded(steps, 1, names, indices)
    if kinds[0] == IMPUTER and kinds[1:] and kinds[1] in _ENCODERS and _is_columnwise(steps[0]):
        return _encoded(steps, 2, names, indices)
    if kinds[0] in _SHORT and is_copied(type(steps[0])):
        return _numbers(steps, kinds[0], indices)
    return None


def _steps(transformer: Any) -> list[Any]:
    if original_name(type(transformer)) != "sklearn.pipeline.Pipeline":
        return [transformer]
    steps = [step for _, step in transformer.steps if step is not None and step != "passthrough"]
    return steps or [None]


def _passed(steps: list[Any], indices: list[int]) -> Maker | None:
    function = steps[0].func
    if len(steps) > 1 or steps[0].validate:
        return None
    if function is None:
        return NumberColumns(indices, (), is_float=False)
    # Histogram boosting validates its numbers in this way.
    if type(function) is partial:
        checks = {"dtype": [np.float64], "ensure_all_finite": False}
        named = getattr(function.func, "__qualname__", ""), function.func.__module__
        if named == ("check_array", "sklearn.utils.validation") and function.keywords == checks:
            return NumberColumns(indices, (), is_float=True)
    return None


def _numbers(steps: list[Any], kind: str, indices: list[int]) -> Maker:
    keeps_dtype = kind == IMPUTER and steps[0].strategy in ("most_frequent", "constant")
    return NumberColumns(indices, steps, is_float=not keeps_dtype)


def _is_columnwise(imputer: Any) -> bool:
    """Whether an imputer makes one column of each, from its own values alone."""
    return (
        imputer.strategy in ("most_frequent", "constant")
        and not imputer.add_indicator
        and not pd.isna(imputer.statistics_).any()
    )


def _encoded(steps: list[Any], count: int, names: list[Any], indices: list[int]) -> Maker | None:
    encoder, rest = steps[count - 1], steps[count:]
    if rest and getattr(encoder, "sparse_output", False):
        return None
    mappings = encoder_mappings(Asked(steps[:count], names), _widths(encoder, len(names)))
    if mappings is None:
        return None
    encoded = EncodedColumns(indices, mappings)
    return StepsAfter(encoded, rest) if rest else encoded


def _widths(encoder: Any, columns: int) -> list[int]:
    """How many columns an encoder makes of each."""
    if original_name(type(encoder)) == _ONE_HOT:
        return list(encoder._n_features_outs)
    return [len(encoder.get_feature_names_out()) // columns] * columns
