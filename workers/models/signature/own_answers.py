"""Brings a sample into the form that the model takes, and records the model's own answers to it."""

from collections.abc import Sequence
from typing import Any

import msgspec
import numpy as np
import pandas as pd
from msgspec.structs import replace

from registry.manifest import Column
from telemetry.errors import ModelUnloadable
from workers.models.signature import knowledge
from workers.models.signature.describing import described_column
from workers.models.signature.frame_candidates import frame_candidates, is_text
from workers.models.signature.knowledge import Known
from workers.models.signature.methods import answering_methods
from workers.models.signature.model_calls import model_refusal
from workers.models.signature.names import Names
from workers.models.tabular.equality import unequal
from workers.models.tabular.outputs import Output
from workers.models.tabular.table import Input


class OwnAnswers(msgspec.Struct, frozen=True):
    """A sample in the model's form, with the model's own answers."""

    frame: pd.DataFrame
    """The model's columns, in its order; unused columns hold missing values."""
    columns: tuple[Column, ...]
    is_frame: bool
    """Whether the model gets a data frame rather than an array."""
    is_flat: bool
    """Whether the model gets a one-dimensional array."""
    answers: dict[str, Output]
    """Method → output, for each method that answers the sample."""

    @property
    def given(self) -> Input:
        """The sample as the model's input."""
        return _given(self.frame, is_frame=self.is_frame, is_flat=self.is_flat)


def own_answers_of(model: Any, names: Names, sample: pd.DataFrame) -> OwnAnswers:
    """Find the form in which the model takes a sample.

    Raises `ModelUnloadable` if the model takes no form of it, or if a column is missing.
    """
    width = len(names.names)
    unused = set(range(width)) - knowledge.used(model, width) if names.framed else set[int]()
    known = knowledge.known(model, width)
    frame = _aligned(sample, names, unused)
    first: Exception | None = None
    for candidate in frame_candidates(frame, known):
        for form in _forms(names, candidate):
            error = model_refusal(model, _given(candidate, **form), len(candidate))
            if error is None:
                return _described(model, candidate, known, unused, form)
            first = first or error
    raise ModelUnloadable(f"the model refuses the sample: {_reason(first)}") from first


def _reason(error: Exception | None) -> str:
    return f"{type(error).__name__}: {error}"[:500]


def _aligned(sample: pd.DataFrame, names: Names, unused: set[int]) -> pd.DataFrame:
    """The model's columns of the sample, in its order."""
    if not names.named and len(sample.columns) != len(names.names):
        raise ModelUnloadable(
            f"the model takes {len(names.names)} columns by position, "
            f"the sample has {len(sample.columns)}"
        )
    nameless = not any(isinstance(name, str) for name in sample.columns)
    if not names.named or (nameless and len(sample.columns) == len(names.names)):
        sample = sample.set_axis(list(names.names), axis=1)
    sample = sample.rename(columns=str)
    if double := sorted(set(sample.columns[sample.columns.duplicated()])):
        raise ModelUnloadable(f"the sample has more than one column {double[0]!r}")
    needed = [name for index, name in enumerate(names.names) if index not in unused]
    if missing := [name for name in needed if name not in sample.columns]:
        raise ModelUnloadable(
            f"the sample has no column {missing[0]!r}, which the model takes; "
            f"it has {', '.join(map(repr, sample.columns[:20]))}"
        )
    return sample.reindex(columns=list(names.names))


def _forms(names: Names, frame: pd.DataFrame) -> list[dict[str, bool]]:
    """Forms in which a model may take rows, likeliest first; the first that it takes is used."""
    framed = {"is_frame": True, "is_flat": False}
    stacked = {"is_frame": False, "is_flat": False}
    flat = {"is_frame": False, "is_flat": True}
    if names.framed:
        return [framed]
    if names.fixed:
        return [stacked]
    if len(frame.columns) > 1:
        return [framed, stacked]
    return [flat, stacked, framed] if is_text(frame.iloc[:, 0]) else [stacked, framed, flat]


def _given(frame: pd.DataFrame, *, is_frame: bool, is_flat: bool) -> Input:
    if is_frame:
        return frame
    array = frame.to_numpy()
    return array[:, 0] if is_flat else array


def _described(
    model: Any,
    frame: pd.DataFrame,
    known: Sequence[Known],
    unused: set[int],
    form: dict[str, bool],
) -> OwnAnswers:
    given = _given(frame, **form)
    answers = answering_methods(model, given, len(frame))
    unused = {index for index in unused if _ignores(model, frame, index, answers, form)}
    columns = tuple(
        Column(name, "any", nullable=True, infinite=True, unused=True)
        if index in unused
        else described_column(name, frame[name], [step for step in known if step.position == index])
        for index, name in enumerate(frame.columns)
    )
    if not form["is_frame"]:
        columns = _of_array(columns, given)
    bare = frame.assign(**{frame.columns[index]: np.nan for index in unused})
    return OwnAnswers(bare, columns, answers=answers, **form)


def _ignores(
    model: Any, frame: pd.DataFrame, index: int, answers: dict[str, Output], form: dict[str, bool]
) -> bool:
    """Whether the answers stay the same if a column holds only missing values."""
    name = frame.columns[index]
    blank = answering_methods(model, _given(frame.assign(**{name: np.nan}), **form), len(frame))
    return blank.keys() == answers.keys() and all(
        not unequal(answers[method], blank[method]).any() for method in answers
    )


def _of_array(columns: tuple[Column, ...], array: Any) -> tuple[Column, ...]:
    """Give all columns the dtype of the numeric array that the model gets.

    A float32 column keeps its own, as its values were rounded before they were stacked.
    """
    if array.dtype.kind not in "iufb":
        return columns
    return tuple(
        column
        if column.unused or column.dtype == "float32"
        else replace(column, dtype=str(array.dtype))
        for column in columns
    )
