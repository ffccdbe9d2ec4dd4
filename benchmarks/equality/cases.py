"""A case: a trained model, the sample it is registered with, and rows to predict."""

from collections.abc import Sequence
from random import Random
from typing import Any

import msgspec
import numpy as np
import pandas as pd
from sklearn.base import is_regressor

from benchmarks.equality.generator import columns as generated
from benchmarks.equality.generator.grammar import Given, Plan, plan
from workers.models.signature.inspection import quietly

TRIES = 50
"""Random models to try for a case until one can be trained."""
SAMPLE = 15
"""Rows of the training frame in the sample."""

_LABELS: tuple[Sequence[Any], ...] = ((0, 1, 2), ("no", "yes", "maybe"), (3, 5, 9))


class Case(msgspec.Struct, frozen=True):
    """One case, determined by its seed and number."""

    seed: int
    number: int
    plan: Plan
    model: Any
    sample: pd.DataFrame
    fresh: pd.DataFrame
    """Rows to predict, with the model's columns in its own order."""
    order: Sequence[str]
    """Another order of the columns."""
    extra: pd.DataFrame
    """Additional columns."""

    @property
    def name(self) -> str:
        """A name by which the case can be repeated."""
        return f"--seed {self.seed} --case {self.number}"

    def alone(self, index: int) -> pd.DataFrame:
        """One of the fresh rows; its categories are those of the row and of the training."""
        row = self.fresh.iloc[[index]]
        found = {
            column.name: column.held(row[column.name].tolist())
            for column in self.plan.columns
            if column.family == "category"
        }
        return row.assign(**{name: s.set_axis(row.index) for name, s in found.items()})

    def given(self, frame: pd.DataFrame) -> Any:
        """Convert a frame to the form that the model was trained on."""
        return as_given(self.plan.given, frame)


def as_given(given: Given, frame: pd.DataFrame) -> Any:
    """Convert a frame to the form that a model takes."""
    if given == "frame":
        return frame
    return frame.iloc[:, 0] if given == "series" else frame.to_numpy()


def case(seed: int, number: int) -> Case:
    """Make a case, the same for the same numbers.

    Raises the error of the last model if none of `TRIES` can be trained.
    """
    error: Exception | None = None
    for attempt in range(TRIES):
        random = Random(f"{seed} {number} {attempt}")
        try:
            return _tried(random, seed, number)
        except Exception as found:  # noqa: BLE001 - chance put together what does not fit
            error = found
    raise RuntimeError(f"no model of case {number} can be trained") from error


def _tried(random: Random, seed: int, number: int) -> Case:
    planned = plan(random)
    columns = planned.columns
    rows = random.randint(30, 80)
    frame = generated.framed(columns, [column.training(random, rows) for column in columns])
    sample = frame.head(SAMPLE)
    if planned.given == "bare array":
        sample = sample.set_axis(range(len(columns)), axis=1)
    with quietly():
        model = planned.model.fit(as_given(planned.given, frame), _target(random, planned, rows))
        _answer(model, as_given(planned.given, sample))
    fresh = _fresh(random, planned)
    order = random.sample([*frame.columns], len(columns))
    extra = generated.strange_row(random)
    return Case(seed, number, planned, model, sample, fresh, order, extra)


def _answer(model: Any, given: Any) -> None:
    """Raise an error if the model cannot predict its own training data."""
    (model.predict if hasattr(model, "predict") else model.transform)(given)


def _fresh(random: Random, planned: Plan) -> pd.DataFrame:
    rows = random.choice([1, 2, 4])
    strange, nulls = random.random() < 0.7, random.random() < 0.5
    made = [column.fresh(random, rows, strange=strange, nulls=nulls) for column in planned.columns]
    return generated.framed(planned.columns, made)


def _target(random: Random, planned: Plan, rows: int) -> Any:
    """A random target: numbers, or labels of one of several types."""
    wrapper = planned.wrapper
    if not wrapper.classes or is_regressor(planned.model):
        found = [[random.gauss(0, 3) for _ in range(wrapper.outputs)] for _ in range(rows)]
        return np.array(found) if wrapper.outputs > 1 else np.array(found)[:, 0]
    count = random.choice(wrapper.classes)
    labels: list[Any] = [*random.choice(_LABELS)][:count]
    if "XGB" in planned.estimator:  # which takes no others
        labels = [*range(count)]
    chosen = [[labels[(n + k) % count] for k in range(wrapper.outputs)] for n in range(rows)]
    random.shuffle(chosen)
    return np.array(chosen) if wrapper.outputs > 1 else np.array(chosen)[:, 0]
