"""Collects what the steps of a fitted model know of its columns, through any nesting.

Pipelines, column transformers and meta-estimators keep fitted parts under the same attribute names
in all libraries (``steps``, ``transformers_``, ``estimators_``, ``best_estimator_``, …), so this
works beyond scikit-learn.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Any, Literal

import msgspec
import numpy as np
import pandas as pd

from registry.manifest import Null
from registry.rows.values import is_missing
from workers.models.signature import boosters

Positions = Sequence[int]
"""Positions, in the model's columns, of the columns that a step gets, in the step's order."""
Use = Literal["number", "string", "any"]


class Known(msgspec.Struct, frozen=True, kw_only=True):
    """One step's knowledge of one column."""

    position: int
    use: Use = "any"
    """Values that the step takes: numbers to compute with, text to parse, or any."""
    values: tuple[Any, ...] | None = None
    """Values that an encoder saw when it was fitted, without missing ones."""
    dtype: str = ""
    """NumPy's dtype of ``values``; empty for objects."""
    categories: bool = False
    """Whether ``values`` are the categories of a column with pandas' category dtype."""
    null: Null | None = None
    """The missing value that the step saw or expects."""


class Group(msgspec.Struct, frozen=True):
    """A step that takes columns as they come, and the positions of its columns."""

    step: Any
    positions: Positions


_INNER = (
    *("best_estimator_", "estimator_", "base_estimator_", "regressor_", "classifier_"),
    *("model_", "transformer_"),
)
"""Attributes that hold a fitted estimator, which gets all columns."""
_INNERS = ("estimators_", "calibrated_classifiers_", "transformer_list")
"""Attributes that hold several such estimators."""
_LIBRARIES = ("sklearn", "lightgbm", "xgboost", "catboost", "imblearn")
"""Libraries whose wrappers pass all their columns on and use none themselves."""
_COMPUTING = ("StandardScaler", "MinMaxScaler", "RobustScaler", "MaxAbsScaler", "Normalizer")
_KEEPING = (*_COMPUTING, "SimpleImputer", "KNNImputer", "IterativeImputer", "PowerTransformer")
"""Classes of steps whose output has a column for each input column, in the same order."""


def known(estimator: Any, width: int) -> list[Known]:
    """Everything that steps know of a model's ``width`` columns."""
    return [*_known(estimator, range(width))]


def used(estimator: Any, width: int) -> set[int]:
    """Positions of the columns that any step gets."""
    positions = (group.positions for group in groups(estimator, width))
    return {position for group in positions for position in group}


def groups(estimator: Any, width: int) -> list[Group]:
    """The innermost steps that get the model's columns unchanged, with the columns of each."""
    return [*_groups(estimator, range(width))]


def _groups(estimator: Any, positions: Positions) -> Iterator[Group]:
    inner = [*_inside(estimator, positions)]
    if not inner or _looks_itself(estimator):
        yield Group(estimator, positions)
    for step, indices in inner:
        yield from _groups(step, indices)


def _looks_itself(estimator: Any) -> bool:
    """Whether a wrapper may use columns itself; assumed of wrappers of unknown libraries."""
    is_stranger = type(estimator).__module__.partition(".")[0] not in _LIBRARIES
    return is_stranger or getattr(estimator, "passthrough", False) is True


def _known(estimator: Any, positions: Positions) -> Iterator[Known]:
    for step, indices in _inside(estimator, positions):
        yield from _known(step, indices)
    yield from _of_step(estimator, positions)


def _inside(estimator: Any, positions: Positions) -> Iterator[tuple[Any, Positions]]:
    """Inner estimators that get an estimator's columns unchanged, with their positions."""
    if hasattr(estimator, "steps"):
        yield from _first_steps(estimator, positions)
    elif hasattr(estimator, "transformers_"):
        yield from _parts(estimator, positions)
    elif _is_estimator(inner := getattr(estimator, "_preprocessor", None)):
        yield inner, positions  # the encoder of histogram boosting, which has no public attribute
    elif hasattr(estimator, "estimators_features_"):  # bagging: each estimator gets some columns
        pairs = zip(estimator.estimators_, estimator.estimators_features_, strict=True)
        yield from ((inner, [positions[n] for n in features]) for inner, features in pairs)
    else:
        yield from ((inner, positions) for inner in _wrapped(estimator))


def _wrapped(estimator: Any) -> Iterator[Any]:
    if hasattr(estimator, "support_"):  # feature selection: the inner estimator gets a subset
        return
    for name in _INNERS:
        several = map(_unwrapped, _flat(getattr(estimator, name, None)))
        found = [each for each in several if not isinstance(each, str)]
        if found and all(map(_is_estimator, found)):
            # The trees of a forest have equal knowledge, so one is enough.
            yield from found[:1] if hasattr(found[0], "tree_") else found
            return
    for name in _INNER:
        if _is_estimator(inner := getattr(estimator, name, None)):
            yield inner
            return


def _unwrapped(inner: Any) -> Any:
    """The estimator of a (name, estimator) pair, or inside a calibrated classifier."""
    inner = inner[1] if isinstance(inner, tuple) else inner
    return getattr(inner, "estimator", inner) if hasattr(inner, "calibrators") else inner


def _flat(found: Any) -> list[Any]:
    if isinstance(found, np.ndarray):
        return found.ravel().tolist()
    return list(found) if isinstance(found, list | tuple) else []


def _is_estimator(inner: Any) -> bool:
    return hasattr(inner, "get_params") and not isinstance(inner, type)


def _first_steps(pipeline: Any, positions: Positions) -> Iterator[tuple[Any, Positions]]:
    """A pipeline's first step, and later ones as long as each column keeps its position."""
    for _, step in pipeline.steps:
        if step is None or isinstance(step, str):
            continue
        yield step, positions
        if not _keeps(step, len(positions)):
            return


def _keeps(step: Any, width: int) -> bool:
    if type(step).__name__ not in _KEEPING:
        return False
    return not getattr(step, "add_indicator", False) and _width_out(step) in (None, width)


def _width_out(step: Any) -> int | None:
    try:
        return len(step.get_feature_names_out())
    except Exception:  # noqa: BLE001 - a step need not support `get_feature_names_out`
        return None


def _parts(transformer: Any, positions: Positions) -> Iterator[tuple[Any, Positions]]:
    """Each part of a column transformer with its columns; "drop" has none."""
    inputs = getattr(transformer, "_transformer_to_input_indices", {})
    for name, part, _ in transformer.transformers_:
        if part != "drop" and name in inputs:
            yield part, [positions[n] for n in inputs[name] if n < len(positions)]


def _of_step(step: Any, positions: Positions) -> Iterator[Known]:
    for reader in _READERS:
        yield from reader(step, positions)


def _of_encoder(step: Any, positions: Positions) -> Iterator[Known]:
    categories = getattr(step, "categories_", None)
    if not isinstance(categories, list) or len(categories) != len(positions):
        return
    for position, found in zip(positions, categories, strict=True):
        # NumPy's `tolist` turns times in nanoseconds into integers; that of pandas does not.
        values = pd.Index(found).tolist() if found.dtype.kind in "mM" else found.tolist()
        yield Known(
            position=position,
            values=tuple(value for value in values if not _is_null(value)),
            dtype=str(found.dtype) if found.dtype.kind in "iufbmM" else "",
            null=next((_null(value) for value in values if _is_null(value)), None),
        )


def _of_imputer(step: Any, positions: Positions) -> Iterator[Known]:
    if not hasattr(step, "statistics_") or not hasattr(step, "missing_values"):
        return
    missing = step.missing_values
    computes = getattr(step, "strategy", "") in ("mean", "median")
    for position in positions:
        yield Known(
            position=position,
            use="number" if computes else "any",
            null=_null(missing) if _is_null(missing) else None,
        )


def _of_scaler(step: Any, positions: Positions) -> Iterator[Known]:
    if type(step).__name__ in _COMPUTING:
        yield from (Known(position=position, use="number") for position in positions)


def _of_vectorizer(step: Any, positions: Positions) -> Iterator[Known]:
    if hasattr(step, "build_analyzer") and len(positions) == 1:
        yield Known(position=positions[0], use="string")


def _of_booster(step: Any, positions: Positions) -> Iterator[Known]:
    for index, categories in boosters.categories(step).items():
        if index < len(positions):
            yield Known(position=positions[index], values=categories, categories=True)


_READERS: tuple[Callable[[Any, Positions], Iterator[Known]], ...] = (
    *(_of_encoder, _of_imputer, _of_scaler, _of_vectorizer, _of_booster),
)


def _is_null(value: Any) -> bool:
    return is_missing(value) or type(value).__name__ in ("NAType", "NaTType")


_NULLS: dict[str, Null] = {"NAType": "na", "NaTType": "nat"}


def _null(value: Any) -> Null:
    if value is None:
        return "none"
    return _NULLS.get(type(value).__name__, "nan")
