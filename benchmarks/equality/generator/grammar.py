"""Random models of the forms in which people train them."""

from collections.abc import Callable, Sequence
from random import Random
from typing import Any, Literal

import msgspec
from sklearn.pipeline import Pipeline, make_pipeline

from benchmarks.equality.generator import columns as generated
from benchmarks.equality.generator import estimators, steps
from benchmarks.equality.generator.columns import Column
from benchmarks.equality.generator.estimators import (
    CLASSIFIERS,
    REGRESSORS,
    UNSUPERVISED,
    WRAPPERS,
    Wrapper,
)
from benchmarks.equality.generator.kinds import KINDS

Given = Literal["frame", "array", "bare array", "series"]
"""What a model is trained on; with a bare array the sample has no column names either."""


class Plan(msgspec.Struct, frozen=True):
    """A model to train, and its columns."""

    form: str
    columns: Sequence[Column]
    model: Any
    wrapper: Wrapper
    given: Given = "frame"

    @property
    def estimator(self) -> str:
        """The type of the final estimator, without wrappers."""
        inner = self.model
        while nested := next((found for name in _NESTING if (found := _of(inner, name))), None):
            inner = nested
        return type(inner.steps[-1][1] if isinstance(inner, Pipeline) else inner).__name__


_NESTING = ("estimator", "regressor", "estimators")


def _of(model: Any, name: str) -> Any:
    found = getattr(model, name, None)
    return found[0][1] if isinstance(found, list) else found


def plan(random: Random) -> Plan:
    """A model of any form."""
    makes = [form for form, weight in _FORMS for _ in range(weight)]
    return random.choice(makes)(random)


def _pipeline(random: Random) -> Plan:
    """The common form: steps per column, then an estimator, perhaps in a wrapper."""
    wrapper = _wrapper(random, frames=True)
    columns = generated.columns(random)
    inner = make_pipeline(steps.preprocessing(random, columns), _estimator(random, wrapper))
    return Plan("pipeline", columns, wrapper.wrap(inner), wrapper)


def _transformer(random: Random) -> Plan:
    columns = generated.columns(random)
    made = steps.preprocessing(random, columns)
    if random.random() < 0.7:
        made = make_pipeline(made, random.choice(UNSUPERVISED)())
    return Plan("transformer", columns, made, WRAPPERS[0])


def _encoded(random: Random) -> Plan:
    """One encoder for all columns."""
    wrapper = _wrapper(random, frames=True)
    columns = _some(random, ("text", "category", "boolean", "time", "number", "date"))
    inner = make_pipeline(steps.encoder(random), _estimator(random, wrapper))
    return Plan("one encoder", columns, wrapper.wrap(inner), wrapper)


def _booster(random: Random) -> Plan:
    """A booster on a frame with categories."""
    wrapper = _wrapper(random, frames=True)
    columns = _some(random, ("number", "category", "boolean"), generated.TAME)
    inner = estimators.booster(random, classifies=bool(wrapper.classes))
    return Plan("booster", columns, wrapper.wrap(inner), wrapper)


def _numbers(random: Random) -> Plan:
    """An estimator on a frame of numbers, perhaps with a scaler."""
    wrapper = _wrapper(random, frames=False)
    columns = _some(random, ("number", "boolean"))
    return Plan("numbers", columns, _scaled(random, columns, wrapper), wrapper)


def _array(random: Random) -> Plan:
    wrapper = _wrapper(random, frames=False)
    columns = _some(random, ("number", "boolean") if random.random() < 0.7 else ("number",))
    columns = [column for column in columns if column.name != "custom_id"] or _lone(random)
    given: Given = random.choice(["array", "bare array"])
    return Plan("array", columns, _scaled(random, columns, wrapper), wrapper, given)


def _encoded_array(random: Random) -> Plan:
    wrapper = _wrapper(random, frames=True)
    columns = _some(random, ("text", "boolean"))
    columns = [column for column in columns if column.name != "custom_id"] or _lone(random)
    inner = make_pipeline(steps.encoder(random), _estimator(random, wrapper))
    given: Given = random.choice(["array", "bare array"])
    return Plan("encoded array", columns, wrapper.wrap(inner), wrapper, given)


def _series(random: Random) -> Plan:
    """A model of one text column, given as a series."""
    wrapper = _wrapper(random, frames=True, outputs=1)
    kind = next(kind for kind in KINDS if kind.family == "sentence")
    column = msgspec.structs.replace(generated.column(random, "text", kind), nulls=False)
    inner = make_pipeline(steps.vectorizer(random), _estimator(random, wrapper))
    return Plan("text", [column], wrapper.wrap(inner), wrapper, "series")


def _scaled(random: Random, columns: Sequence[Column], wrapper: Wrapper) -> Any:
    nulls = any(column.nulls for column in columns)
    before = steps.numeric(random, nulls=nulls) if random.random() < 0.7 else []
    return wrapper.wrap(make_pipeline(*before, _estimator(random, wrapper)))


def _wrapper(random: Random, *, frames: bool, outputs: int | None = None) -> Wrapper:
    """A random wrapper; none half of the time."""
    found = [each for each in WRAPPERS if each.frames or not frames]
    found = [each for each in found if outputs in (None, each.outputs)]
    if random.random() < 0.4:
        found = [each for each in found if each.name == "none"]
    return random.choice(found)


def _estimator(random: Random, wrapper: Wrapper) -> Any:
    return random.choice(CLASSIFIERS if wrapper.classes else REGRESSORS)()


def _some(
    random: Random, families: Sequence[str], called: Sequence[str] = generated.NAMES
) -> list[Column]:
    """Columns of these families, one at least."""
    count = random.randint(1, 5)
    kinds = [kind for kind in KINDS if kind.family in families]
    names = random.sample(called, count)
    return [generated.column(random, name, random.choice(kinds)) for name in names]


def _lone(random: Random) -> list[Column]:
    return [generated.column(random, "lone", KINDS[0])]


_FORMS: tuple[tuple[Callable[[Random], Plan], int], ...] = (
    (_pipeline, 10),
    (_transformer, 2),
    (_encoded, 2),
    (_booster, 3),
    (_numbers, 2),
    (_array, 2),
    (_encoded_array, 1),
    (_series, 1),
)
