"""Hazard 17: a failing call is halved until the guilty requests fail alone, in few calls."""

import math
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from telemetry.errors import ModelError, ModelUnloadable, OutOfMemory, PredictqError
from workers.compute.bisection import bisect


class Model:
    """Raises an error that names the first guilty request; counts its calls."""

    def __init__(self, guilty: Sequence[int], error: type[PredictqError] = ModelError) -> None:
        self._guilty, self._error, self.calls = set(guilty), error, 0

    def __call__(self, asked: Sequence[int]) -> list[int]:
        self.calls += 1
        if guilty := sorted(self._guilty & set(asked)):
            raise self._error(f"{guilty[0]} is guilty")
        return [10 * number for number in asked]


def told(answer: Any) -> Any:
    return str(answer) if isinstance(answer, PredictqError) else answer


@st.composite
def cases(draw: st.DrawFn) -> tuple[int, set[int]]:
    count = draw(st.integers(1, 256))
    return count, draw(st.sets(st.integers(0, count - 1), max_size=8))


@given(cases())
def test_bisection_fails_guilty_rows_alone_and_in_order(
    case: tuple[int, set[int]],
) -> None:
    count, guilty = case
    answers = bisect(range(count), Model([*guilty]))
    expected = [f"{n} is guilty" if n in guilty else 10 * n for n in range(count)]
    assert list(map(told, answers)) == expected


def test_out_of_memory_is_bisected() -> None:
    answers = bisect(range(4), Model([2], OutOfMemory))
    assert list(map(told, answers)) == [0, 10, "2 is guilty", 30]


@given(cases())
def test_bisection_of_k_guilty_among_n_costs_few_calls(case: tuple[int, set[int]]) -> None:
    count, guilty = case
    model = Model([*guilty])
    bisect(range(count), model)
    assert model.calls <= 2 * len(guilty) * math.ceil(math.log2(count)) + 1
    assert model.calls <= 2 * count - 1


def test_bisection_of_one_guilty_row_among_64_costs_thirteen_calls() -> None:
    model = Model([17])
    bisect(range(64), model)
    assert model.calls == 2 * 6 + 1


@pytest.mark.parametrize("count", [1, 2, 64])
def test_bisection_of_guilty_rows_alone_repeats_no_call(count: int) -> None:
    model = Model(range(count))
    assert len({str(error) for error in bisect(range(count), model)}) == count
    assert model.calls == 2 * count - 1


def test_unloadable_model_costs_one_call() -> None:
    model = Model([0], ModelUnloadable)
    answers = bisect(range(64), model)
    assert model.calls == 1
    assert {str(error) for error in answers} == {"0 is guilty"}
    assert len(answers) == 64


def test_foreign_error_is_not_swallowed() -> None:
    def broken(_: Sequence[int]) -> list[int]:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        bisect(range(4), broken)
