"""Short checks of a model's input, for input that needs no conversion but to floats.

What they do not pass goes through scikit-learn's own validation, which then answers or raises as
ever.
"""

from typing import Any

import numpy as np
import pandas as pd

from workers.models.kernels.frames.reading import columns_of
from workers.models.tabular.columns import OBJECT, Array

FLOATS = (np.dtype(np.float32), np.dtype(np.float64))
_KINDS = frozenset("bif")
"""Kinds of the dtypes that trees get as float32, value by value."""
_VALUES = frozenset({float, int, bool})
MAX_DENSE = 2**24
"""Most values of a matrix that is held dense where scikit-learn has it sparse."""


def float32_rows(estimator: Any, given: Any, *, nan_allowed: bool) -> Array | None:
    """The rows as validation gives them to trees; None if that is for validation to say.

    An array of shape (rows, features), float32, contiguous. Infinities are left to validation, and
    so are missing values, unless they are allowed. Sparse rows become dense: trees compare the
    same values.
    """
    if is_sparse(given):
        given, nan_allowed = _dense(given), False
    found = _rows(estimator, given, np.float32)
    if found is None or not (found.dtype.kind in _KINDS or _holds_numbers(found)):
        return None
    with np.errstate(over="ignore"):  # what does not fit becomes an infinity, and is refused
        rows = found.astype(np.float32, order="C")
    return rows if is_valid(rows, nan_allowed=nan_allowed) else None


def float64_rows(estimator: Any, given: Any, *, nan_allowed: bool) -> Array | None:
    """The rows of an estimator that computes with float64, as given; else as `float32_rows`."""
    rows = plain_rows(estimator, given)
    if rows is None or rows.dtype != np.float64:
        return None
    return rows if is_valid(rows, nan_allowed=nan_allowed) else None


def linear_rows(estimator: Any, given: Any) -> Any | None:
    """As `float64_rows` without missing values; also sparse rows, and objects that are numbers."""
    if is_sparse(given):
        fits = given.dtype == np.float64 and given.shape[1] == estimator.n_features_in_
        return given if fits and given.shape[0] and np.isfinite(given.data).all() else None
    if getattr(given, "dtype", None) == OBJECT and _holds_numbers(given):
        given = given.astype(np.float64)
    return float64_rows(estimator, given, nan_allowed=False)


def is_valid(rows: Array, *, nan_allowed: bool) -> bool:
    """Whether rows hold no infinities, nor missing values unless they are allowed."""
    return bool(np.isfinite(rows).all()) or (nan_allowed and not np.isinf(rows).any())


def plain_rows(estimator: Any, given: Any) -> Array | None:
    """The floats of an array or frame (rows, features) that has what the estimator was fitted on.

    None if it is anything else, or has no rows. Values are not looked at.
    """
    rows = _rows(estimator, given, np.float64)
    return rows if rows is not None and rows.dtype in FLOATS else None


def is_sparse(given: Any) -> bool:
    """Whether this is a matrix of sparse rows, as column transformers make it."""
    return getattr(given, "format", None) == "csr"


def _rows(estimator: Any, given: Any, wanted: type) -> Array | None:
    """The array of what was given; None if it has another shape or names than the estimator's."""
    if type(given) is pd.DataFrame:
        if given.columns.tolist() != _names(estimator):
            return None
        given = _of_frame(given, wanted)
    if type(given) is not np.ndarray or given.ndim != 2:
        return None
    if given.shape[1] != estimator.n_features_in_ or not len(given):
        return None
    return given


def _of_frame(frame: pd.DataFrame, wanted: type) -> Array | None:
    """The array of a frame; booleans beside numbers are converted column by column."""
    found = frame.to_numpy()
    if found.dtype != OBJECT:
        return found
    columns = columns_of(frame, range(frame.shape[1]))
    if not all(type(column) is np.ndarray and column.dtype.kind in _KINDS for column in columns):
        return None
    if np.result_type(*(column.dtype for column in columns)) != np.float64:
        return None
    return np.array([column.astype(wanted) for column in columns]).T


def _dense(given: Any) -> Array | None:
    return given.toarray() if given.shape[0] * given.shape[1] <= MAX_DENSE else None


def _holds_numbers(found: Array) -> bool:
    """Whether an array of objects holds Python's own numbers only."""
    return found.dtype == OBJECT and _VALUES.issuperset(map(type, found.ravel().tolist()))


def _names(estimator: Any) -> list[Any] | None:
    names = getattr(estimator, "feature_names_in_", None)
    return None if names is None else names.tolist()
