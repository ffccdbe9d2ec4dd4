"""Short checks of a model's input, for input that needs no conversion but to float32.

What they do not pass goes through scikit-learn's own validation, which then answers or raises as
ever.
"""

from typing import Any

import numpy as np
import pandas as pd

from workers.models.tabular.columns import Array

FLOATS = (np.dtype(np.float32), np.dtype(np.float64))


def float32_rows(estimator: Any, given: Any, *, nan_allowed: bool) -> Array | None:
    """The rows as validation gives them to trees; None if that is for validation to say.

    An array of shape (rows, features), float32, contiguous. Infinities are left to validation, and
    so are missing values, unless they are allowed.
    """
    found = plain_rows(estimator, given)
    if found is None:
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


def is_valid(rows: Array, *, nan_allowed: bool) -> bool:
    """Whether rows hold no infinities, nor missing values unless they are allowed."""
    return bool(np.isfinite(rows).all()) or (nan_allowed and not np.isinf(rows).any())


def plain_rows(estimator: Any, given: Any) -> Array | None:
    """The floats of an array or frame (rows, features) that has what the estimator was fitted on.

    None if it is anything else, or has no rows. Values are not looked at.
    """
    if type(given) is pd.DataFrame:
        if given.columns.tolist() != _names(estimator):
            return None
        given = given.to_numpy()
    if type(given) is not np.ndarray or given.ndim != 2 or given.dtype not in FLOATS:
        return None
    if given.shape[1] != estimator.n_features_in_ or not len(given):
        return None
    return given


def _names(estimator: Any) -> list[Any] | None:
    names = getattr(estimator, "feature_names_in_", None)
    return None if names is None else names.tolist()
