"""Inspects a fitted model: finds its signature from a sample of its data, else by probing."""

import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import msgspec
import numpy as np
import pandas as pd
from msgspec.structs import replace
from sklearn.base import BaseEstimator
from sklearn.exceptions import NotFittedError
from sklearn.utils.validation import check_is_fitted
from threadpoolctl import threadpool_limits

from registry.manifest import Column, Signature
from telemetry.errors import ModelUnloadable
from workers.models.signature.boosters import check_columns_of_categories
from workers.models.signature.methods import answering_methods, inverse_width
from workers.models.signature.model_calls import Row, with_tolerance
from workers.models.signature.names import Names, names_of
from workers.models.signature.own_answers import OwnAnswers, own_answers_of
from workers.models.signature.probing import probe
from workers.models.signature.wire import wire_rows
from workers.models.tabular.outputs import Output, to_wire


class Inspected(msgspec.Struct, frozen=True):
    """The result of inspecting a model."""

    signature: Signature
    example: Row | None
    """A wire row that the model takes; None if no probed row was taken."""
    unknown: tuple[str, ...] = ()
    """Names of columns whose type neither a sample nor the model tells."""
    own_answers: OwnAnswers | None = None
    """The sample as the model takes it, with the model's own answers; None without a sample."""


def inspect(
    model: Any,
    feature_names: Sequence[str] | None,
    sample: pd.DataFrame | None = None,
    *,
    typed: bool = True,
) -> Inspected:
    """Find a model's signature.

    ``feature_names`` come from the model's file. ``sample`` has rows of the training data or of
    future requests. If it is not ``typed``, the dtypes of its numbers are not those of the training
    data, as with rows of JSON.

    Raises `ModelUnloadable` if the model is not fitted, if it refuses the sample, or if neither the
    model nor a sample tells how many features it takes, and which of them are categories.
    """
    with quietly():
        _check_fitted(model)
        names = names_of(model, feature_names, sample)
        if sample is None:
            check_columns_of_categories(model)
            return _by_probing(model, names)
        return _by_sample(model, own_answers_of(model, names, sample), names, typed=typed)


@contextmanager
def quietly() -> Iterator[None]:
    """Run the block in one thread, as pool processes compute, and suppress warnings."""
    with warnings.catch_warnings(), np.errstate(all="ignore"), threadpool_limits(1):
        warnings.simplefilter("ignore")
        yield


def _check_fitted(model: Any) -> None:
    # Only for scikit-learn's own classes: others may keep fitted state under any attribute name.
    if isinstance(model, BaseEstimator) and type(model).__module__.startswith("sklearn."):
        try:
            check_is_fitted(model)
        except NotFittedError as error:
            raise ModelUnloadable(f"the model is not fitted: {error}") from error


def _by_sample(model: Any, own: OwnAnswers, names: Names, *, typed: bool) -> Inspected:
    columns = own.columns if typed else tuple(map(_untyped, own.columns))
    signature = Signature(
        columns,
        names.named,
        own.is_frame,
        tuple(own.answers),
        _classes(model),
        _outputs(own.answers),
        own.is_flat,
        inverse_width(model, own.answers),
    )
    (row,) = wire_rows(own.frame.iloc[:1], columns)
    signature = with_tolerance(model, _with_inverse(signature), row)
    return Inspected(signature, row, own_answers=own)


def _untyped(column: Column) -> Column:
    """Drop dtype and range of numbers and booleans: a few JSON values do not tell the dtype."""
    if column.type not in ("number", "boolean") or column.categories:
        return column
    return replace(column, dtype="", least=None, greatest=None)


def _by_probing(model: Any, names: Names) -> Inspected:
    probed = probe(model, names)
    blank = Signature(
        probed.columns, names.named, names.framed, ("predict",), _classes(model), flat=probed.flat
    )
    if probed.row is None:
        methods = tuple(probed.methods)
        return Inspected(replace(blank, methods=methods), None, _unknown(probed.columns))
    answers = answering_methods(model, probed.given, 1)
    signature = replace(
        blank,
        methods=tuple(answers),
        outputs=_outputs(answers),
        inverse=inverse_width(model, answers),
    )
    signature = with_tolerance(model, _with_inverse(signature), probed.row)
    return Inspected(signature, probed.row, _unknown(probed.columns))


def _unknown(columns: Sequence[Any]) -> tuple[str, ...]:
    return tuple(column.name for column in columns if column.type == "any" and not column.unused)


def _with_inverse(signature: Signature) -> Signature:
    if signature.inverse is None:
        return signature
    return replace(signature, methods=(*signature.methods, "inverse_transform"))


def _outputs(answers: dict[str, Output]) -> int:
    """Number of columns that ``predict`` gives for a row."""
    answer = answers.get("predict")
    if answer is None or isinstance(answer, list):
        return 1 if answer is None else len(answer)
    return int(np.prod(answer.shape[1:]))


def _classes(model: Any) -> tuple[Any, ...] | None:
    classes = getattr(model, "classes_", None)
    single = isinstance(classes, np.ndarray) and classes.ndim == 1
    # As the manifest has them once it is read again: a date is a text there.
    return tuple(msgspec.to_builtins(to_wire(classes))) if single else None
