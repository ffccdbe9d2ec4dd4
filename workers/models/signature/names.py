"""Finds the number and names of a model's columns."""

import re
from collections.abc import Sequence
from typing import Any

import msgspec
import numpy as np
import pandas as pd

from telemetry.errors import ModelUnloadable
from workers.models.signature.model_calls import model_refusal


class Names(msgspec.Struct, frozen=True):
    """The names of a model's columns, in its order."""

    names: tuple[str, ...]
    """Names that the model was fitted with, else the sample's, else ``x0``, ``x1``, …"""
    named: bool
    """Whether the names are real rather than numbered."""
    framed: bool
    """Whether the model was fitted on a frame."""
    fixed: bool
    """Whether the model itself tells its number of columns."""


def names_of(model: Any, given: Sequence[str] | None, sample: pd.DataFrame | None) -> Names:
    """Find the names from the model, else from ``given`` (those in its file), else from the sample.

    Raises `ModelUnloadable` if none of these tells the number of columns, or if they disagree.
    """
    fitted = getattr(model, "feature_names_in_", None)
    width = getattr(model, "n_features_in_", None) or None  # 0 of a CatBoost that was pickled
    if fitted is not None:
        names = _unspoiled(tuple(map(str, fitted)), sample)
        return Names(names, named=True, framed=True, fixed=True)
    if given is not None:
        if width not in (None, len(given)):
            raise ModelUnloadable(f"the model takes {width} features, but {len(given)} are named")
        return Names(tuple(given), named=True, framed=False, fixed=width is not None)
    if sample is not None:
        return _of_sample(sample, width)
    if width is not None:
        return Names(_numbered(int(width)), named=False, framed=False, fixed=True)
    if takes_text(model):
        return Names(("text",), named=False, framed=False, fixed=False)
    raise ModelUnloadable("the model does not say how many features it takes; give a --sample")


def takes_text(model: Any) -> bool:
    """Whether a model takes a sequence of strings but not a table of them."""
    flat = np.array(["some text"], dtype=object)
    return (
        model_refusal(model, flat, 1) is None and model_refusal(model, flat[:, None], 1) is not None
    )


def _unspoiled(fitted: tuple[str, ...], sample: pd.DataFrame | None) -> tuple[str, ...]:
    """Restore spaces in names from the sample: LightGBM replaces them by underscores."""
    if sample is None:
        return fitted
    written = {re.sub(r"\s", "_", str(name)): str(name) for name in sample.columns}
    known = {str(name) for name in sample.columns}
    return tuple(name if name in known else written.get(name, name) for name in fitted)


def _of_sample(sample: pd.DataFrame, width: int | None) -> Names:
    if width not in (None, len(sample.columns)):
        raise ModelUnloadable(
            f"the model takes {width} features and does not know their names, "
            f"the sample has {len(sample.columns)}; leave only the model's in it, in order"
        )
    named = all(isinstance(name, str) for name in sample.columns)
    names = tuple(sample.columns) if named else _numbered(len(sample.columns))
    return Names(names, named=named, framed=False, fixed=width is not None)


def _numbered(width: int) -> tuple[str, ...]:
    return tuple(f"x{index}" for index in range(width))
