"""Promise 2: every row of each demo's data gets the model's own answer through the queue."""

import json
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from itertools import cycle, pairwise
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
from sklearn.datasets import load_breast_cancer, load_diabetes, load_iris

from registry.store import Registry
from tests.support.stack import LiveStack
from workers.models.artifacts import load_artifact
from workers.models.tabular.infinities import spelled_values

pytestmark = pytest.mark.unmeasured

SIZES = (1, 2, 1, 7, 1, 64, 33)
"""Rows of the requests, over and over, until the data set ends."""


class Demo(msgspec.Struct, frozen=True):
    model: str
    data: Callable[[], Any]
    exact: bool
    """Whether the answer must be equal bit by bit."""
    methods: tuple[str, ...]


LINEAR = ("predict", "predict_proba", "predict_log_proba", "decision_function")
FOREST = ("predict", "predict_proba", "predict_log_proba", "apply")
IRIS = Demo("iris", load_iris, False, LINEAR)
DEMOS = (
    IRIS,
    Demo("breast-cancer", load_breast_cancer, True, FOREST),
    Demo("diabetes", load_diabetes, True, ("predict",)),
)
CASES = [(demo, method) for demo in DEMOS for method in demo.methods]


@cache
def estimator(home: Path, model: str) -> Any:
    registry = Registry(home)
    manifest = registry.resolve(model).manifest
    return load_artifact(registry.artifact(manifest), manifest).estimator


def slices(rows: int) -> Iterator[slice]:
    """Cut this many rows into requests of all sizes."""
    bounds = [0]
    for size in cycle(SIZES):
        if bounds[-1] == rows:
            break
        bounds.append(min(bounds[-1] + size, rows))
    return (slice(*bound) for bound in pairwise(bounds))


def shaped(rows: np.ndarray, names: list[str], as_objects: bool) -> Any:
    """Write rows in one of the four shapes of features; a single row has no outer list."""
    table: list[Any] = rows.tolist()
    if as_objects:
        table = [dict(zip(names, row, strict=True)) for row in table]
    return table[0] if len(table) == 1 else table


def assert_equal(demo: Demo, answer: list[Any], expected: np.ndarray) -> None:
    if demo.exact or expected.dtype.kind != "f":
        assert answer == spelled_values(expected.tolist())
    else:
        np.testing.assert_allclose(np.array(answer), expected, rtol=1e-12, atol=1e-13)


def check(stack: LiveStack, demo: Demo, method: str, parts: list[tuple[np.ndarray, Any]]) -> None:
    """Send all requests concurrently and compare each with the model's own answer."""
    ask = getattr(estimator(stack.home, demo.model), method)
    with ThreadPoolExecutor(8) as pool:
        answers = pool.map(lambda part: stack.predict(demo.model, part[1], method), parts)
        for (rows, _), answer in zip(parts, answers, strict=True):
            assert_equal(demo, answer, ask(rows))


@pytest.mark.parametrize(
    ("demo", "method"), CASES, ids=[f"{demo.model}-{method}" for demo, method in CASES]
)
def test_rows_in_requests_of_all_sizes_and_shapes(
    stack: LiveStack, demo: Demo, method: str
) -> None:
    data = demo.data()
    names = [str(name) for name in data.feature_names]
    cut = [data.data[part] for part in slices(len(data.data))]
    # Seven sizes alternate with two shapes of a row, so each size occurs in both.
    parts = [(rows, shaped(rows, names, i % 2 == 1)) for i, rows in enumerate(cut)]
    kinds = {(type(features), type(next(iter(features)))) for _, features in parts}
    assert kinds == {(list, float), (list, list), (dict, str), (list, dict)}
    assert sum(len(rows) for rows, _ in parts) == len(data.data)
    check(stack, demo, method, parts)


@pytest.mark.parametrize("method", IRIS.methods)
def test_rows_of_iris_each_as_a_request(stack: LiveStack, method: str) -> None:
    rows = load_iris().data
    check(stack, IRIS, method, [(row[None, :], row.tolist()) for row in rows])


@pytest.mark.parametrize("demo", DEMOS, ids=[demo.model for demo in DEMOS])
def test_methods_of_the_demos_are_complete(stack: LiveStack, demo: Demo) -> None:
    (version,) = stack.http.get(f"/models/{demo.model}").json()["details"]
    assert tuple(version["signature"]["methods"]) == demo.methods


def test_data_set_in_one_request(stack: LiveStack) -> None:
    rows = load_breast_cancer().data
    expected = estimator(stack.home, "breast-cancer").predict_proba(rows)
    assert stack.predict("breast-cancer", rows.tolist(), "predict_proba") == expected.tolist()


@pytest.mark.parametrize("value", [float("nan"), None, float("inf"), float("-inf")])
def test_missing_and_infinite_values_reach_a_model_that_takes_them(
    stack: LiveStack, value: float | None
) -> None:
    """The gradient booster takes missing values and infinities; the answer equals its own."""
    rows = load_diabetes().data[:5].copy()
    rows[1, 2] = rows[3, 8] = float("nan") if value is None else value
    features = rows.tolist()
    features[1][2] = features[3][8] = value
    expected = estimator(stack.home, "diabetes").predict(rows).tolist()
    # Not `json=`: httpx refuses NaN and infinities.
    body = json.dumps({"model": "diabetes", "features": features})
    answer = stack.http.post("/predict", content=body, headers={"Content-Type": "application/json"})
    assert answer.json().get("predictions") == expected, answer.text
