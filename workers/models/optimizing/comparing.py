"""Compares a model's conversion to ONNX with the model itself.

Answers must be those of the model: labels exactly, floats within the tolerance of microbatches.
"""

from collections.abc import Iterator
from typing import Any

import joblib
import msgspec
import numpy as np
import pandas as pd

from registry.manifest import Signature
from workers.models.formats.libraries.onnx_file import load_onnx
from workers.models.formats.model_format import LoadOptions
from workers.models.kernels.sklearn_classes import are_trees
from workers.models.kernels.steps.linear import random_rows
from workers.models.kernels.trees.thresholds import rows_on_thresholds, splits_of
from workers.models.optimizing.conversion import METHODS, onnx_content
from workers.models.tabular.columns import Array
from workers.models.tabular.equality import equal
from workers.models.tabular.outputs import to_output, to_wire
from workers.models.tabular.table import is_matrix

_NEIGHBOURS = 1e-9
"""Relative distance of rows beside those of the sample."""
_MAX_REASON = 300


class Conversion(msgspec.Struct, frozen=True):
    """What became of a conversion."""

    content: bytes = b""
    """The ONNX file; empty if there is none that gives the model's answers."""
    model: Any = None
    """The file, loaded."""
    reason: str = ""
    """Why there is none."""


def sound_conversion(model: Any, signature: Signature, sample: pd.DataFrame) -> Conversion:
    """Convert and compare on finite rows; the result is sound for these, and for no others.

    ``sample``: rows as the model takes them.
    """
    if not is_matrix(signature) or signature.flat:
        return Conversion(reason="not all of its columns are plain float64 numbers")
    if not any(hasattr(model, name) for name in METHODS):
        return Conversion(reason=f"it has neither {' nor '.join(METHODS)}")
    try:
        content = onnx_content(model, np.float64)
        other = load_onnx(content, LoadOptions())
    except Exception as error:  # noqa: BLE001 - the converter raises anything
        said = f"{type(error).__name__}: {error}"
        return Conversion(reason=f"it cannot be converted: {said[:_MAX_REASON]}")
    with joblib.parallel_config(backend="sequential"):  # as workers call models
        wrong = next(_differences(model, other, sample.to_numpy(dtype=np.float64)), "")
    return Conversion(reason=wrong) if wrong else Conversion(content, other)


def compared_methods(model: Any, other: Any) -> list[str]:
    """The methods that a model and its conversion both have."""
    return [name for name in METHODS if hasattr(model, name) and hasattr(other, name)]


def _differences(model: Any, other: Any, sample: Array) -> Iterator[str]:
    """Why answers are not the same, for each method and kind of rows for which they are not."""
    methods = compared_methods(model, other)
    for kind, rows in _compared(model, sample):
        for name in methods:
            if wrong := _unequal_rows(getattr(model, name), getattr(other, name), rows):
                yield f"{name} differs in {wrong:,} of {len(rows):,} {kind}"


def _compared(model: Any, sample: Array) -> Iterator[tuple[str, Array]]:
    yield "rows of the sample", sample
    beside = sample * (1 + np.random.default_rng(0).choice([-1, 0, 1], sample.shape) * _NEIGHBOURS)
    yield "rows beside those of the sample", beside
    yield "random rows", random_rows(model)
    parts = getattr(model, "estimators_", [model])
    # Not by NumPy, except where it is an array: it would take ensembles for nested sequences.
    trees = parts.ravel().tolist() if isinstance(parts, np.ndarray) else list(parts)
    if are_trees(trees):
        near = rows_on_thresholds(splits_of(trees), sample.shape[1], nan_allowed=False)
        yield "rows at thresholds", near.astype(np.float64)


def _unequal_rows(original: Any, other: Any, rows: Array) -> int:
    try:
        given = with_column_names(original, rows)
        answers = [to_wire(to_output(method(given), len(rows))) for method in (original, other)]
        # As callers get them: a boolean label must not become a number.
        return sum(not equal(*pair) for pair in zip(*answers, strict=True))
    except Exception:  # noqa: BLE001 - one of them refuses rows that the other may take
        return len(rows)


def with_column_names(method: Any, rows: Array) -> Any:
    """Rows with the names of columns, for a model that was fitted on a frame."""
    names = getattr(getattr(method, "__self__", None), "feature_names_in_", None)
    return rows if names is None else pd.DataFrame(rows, columns=names)
