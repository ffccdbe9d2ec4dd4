"""Kernels are compared with scikit-learn when a model is loaded, and dropped if they differ."""

import logging
import subprocess
import sys
from importlib.metadata import PackageNotFoundError
from typing import Any

import numpy as np
import pytest
from sklearn.ensemble import ExtraTreesRegressor, RandomForestClassifier

from workers.models.kernels.accelerating import accelerated
from workers.models.kernels.compiled import compiling
from workers.models.kernels.compiled.compiling import compiled_loops
from workers.models.kernels.trees import forests
from workers.models.kernels.trees.thresholds import rows_on_thresholds, splits_of

RANDOM = np.random.default_rng(0)
ROWS = RANDOM.normal(size=(80, 3))
THREADS_OF_A_KERNEL = """
import sys, numpy as np, psutil
from sklearn.ensemble import RandomForestClassifier
from workers.models.kernels.accelerating import accelerated

rows = np.random.default_rng(0).normal(size=(80, 3))
forest = RandomForestClassifier(5, random_state=0).fit(rows, rows[:, 0] > 0)
forest.n_jobs = 4  # only now: fitting would leave threads that end meanwhile
before = psutil.Process().num_threads()
found = accelerated(forest, "m:1")
print(found is not forest, psutil.Process().num_threads() == before, "numba" in sys.modules)
"""


def _forest() -> Any:
    return RandomForestClassifier(5, random_state=0).fit(ROWS, ROWS[:, 0] > 0)


def test_kernel_that_differs_is_not_used(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    class Wrong:
        def over(self, name: str, nodes: Any, *others: Any) -> Any:
            nodes = nodes.copy()
            splits = np.flatnonzero(nodes["feature"] >= 0)
            last = np.float32(nodes["threshold"][splits[-1]])
            nodes["threshold"][splits[-1]] = np.nextafter(last, 9)
            return real.over(name, nodes, *others)

    real: Any = compiled_loops()
    forest = _forest()
    monkeypatch.setattr(forests, "compiled_loops", Wrong)
    with caplog.at_level(logging.WARNING):
        assert accelerated(forest, "churn:3") is forest
    (warned,) = caplog.records
    assert (warned.getMessage()[:11], vars(warned)["version"]) == ("no kernel: ", 3)


def test_kernel_is_not_made_of_trees_that_have_no_end(caplog: pytest.LogCaptureFixture) -> None:
    forest = _forest()
    forest.estimators_[1].tree_.children_left[0] = 0
    with caplog.at_level(logging.WARNING):
        assert accelerated(forest, "churn:3") is forest
    assert "other nodes" in caplog.text


def _without_attribute(forest: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    del forest.n_outputs_


def _without_memory(forest: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def exhausted(trees: Any, features: int, shape: Any) -> Any:
        raise MemoryError("no room for the trees")

    monkeypatch.setattr(forests, "lay_out", exhausted)


@pytest.mark.parametrize(
    ("damage", "told"),
    [(_without_attribute, "AttributeError"), (_without_memory, "no room for the trees")],
    ids=["attribute", "memory"],
)
def test_kernel_that_cannot_be_prepared_leaves_the_forest(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, damage: Any, told: str
) -> None:
    forest = _forest()
    damage(forest, monkeypatch)
    with caplog.at_level(logging.WARNING):
        assert accelerated(forest, "churn:3") is forest
    assert told in caplog.text


def test_kernel_without_numba_asks_each_tree(monkeypatch: pytest.MonkeyPatch) -> None:
    def absent(name: str) -> str:
        raise PackageNotFoundError(name)

    monkeypatch.setattr(compiling, "version", absent)
    monkeypatch.setattr(forests, "compiled_loops", compiled_loops.__wrapped__)
    forest = _forest()
    twin = accelerated(forest, "m:1")
    assert twin.kernel.add_leaves is None
    assert twin.predict_proba(ROWS).tobytes() == forest.predict_proba(ROWS).tobytes()


def test_kernel_starts_no_threads_that_a_fork_would_lose_and_imports_no_numba() -> None:
    # In a process of its own: threads of other tests may start or end meanwhile.
    run = subprocess.run(
        [sys.executable, "-c", THREADS_OF_A_KERNEL],
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert (run.returncode, run.stdout) == (0, "True True False\n"), run.stderr


def test_kernel_is_compared_on_and_next_to_thresholds() -> None:
    forest = ExtraTreesRegressor(4, random_state=0).fit(ROWS, ROWS[:, 0])
    rows = rows_on_thresholds(splits_of(forest.estimators_), 3, nan_allowed=True)
    known = {
        (feature, np.float32(threshold))
        for tree in forest.estimators_
        for feature, threshold in zip(tree.tree_.feature, tree.tree_.threshold, strict=True)
    }
    near = [
        (column, np.nextafter(value, side, dtype=np.float32)) in known
        for column in range(3)
        for value in rows[:, column]
        for side in (value, np.float32(-9), np.float32(9))
        if value == value
    ]
    assert sum(near) >= len(near) // 3
    assert 0.03 < np.isnan(rows).mean() < 0.1
