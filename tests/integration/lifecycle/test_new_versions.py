"""Hazard 20: the pool shares one copy of a version that is added while the worker runs."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import psutil
import pytest
from sklearn.ensemble import ExtraTreesRegressor
from sklearn.linear_model import LinearRegression

from tests.support.models import register
from tests.support.stack import LiveStack, running, until

pytestmark = pytest.mark.slow

PROCESSES = 4


@pytest.fixture(params=[1, PROCESSES])
def stack(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[LiveStack]:
    line = LinearRegression().fit([[1.0, 0.0], [0.0, 1.0]], [2.0, 0.0])
    # So that scikit-learn and the compiled loop of forests are in memory before.
    register(tmp_path, "line", line, [[1.0, 0.0]])
    register(tmp_path, "small", forest(rows=20), [[1.0, 0.0]])
    with running(tmp_path, processes=request.param) as stack:
        until(lambda: len(stack.pool()) == request.param, "all processes")
        yield stack


def pool_memory(stack: LiveStack) -> int:
    """Memory of the pool and its fork server (PSS) in bytes; shared pages count once."""
    family = psutil.Process(stack.pid("worker")).children(recursive=True)
    return sum(int(process.memory_full_info().pss) for process in family)


def loaded(stack: LiveStack) -> list[str]:
    """The loaded versions in the worker's last heartbeat."""
    (worker,) = stack.http.get("/stats").json()["workers"]
    return worker["loaded"]


def forest(rows: int = 20_000) -> ExtraTreesRegressor:
    """A forest of about 100 MB: every tree has a leaf for each row."""
    random = np.random.default_rng(0)
    x, y = random.normal(size=(rows, 2)), random.normal(size=rows)
    return ExtraTreesRegressor(32, max_features=1, n_jobs=-1, random_state=0).fit(x, y)


def test_new_version_is_shared_by_all_processes(stack: LiveStack) -> None:
    before, born = pool_memory(stack), {process.pid for process in stack.pool()}
    model = forest()
    manifest = register(stack.home, "forest", model, [[0.0, 0.0]])
    model.n_jobs = 1  # with threads, sums differ in their last bits from call to call
    assert stack.predict("forest", [0.5, 0.5]) == model.predict([[0.5, 0.5]]).tolist()
    until(lambda: not born & {p.pid for p in stack.pool()}, "all processes are new", 10)
    until(lambda: len(stack.pool()) == len(born), "as many as before")
    renewed = {process.pid for process in stack.pool()}
    for _ in range(50):
        stack.submit("forest", [0.5, 0.5])
    assert stack.predict("forest", [0.1, 0.2]) == model.predict([[0.1, 0.2]]).tolist()
    until(lambda: "forest:1" in loaded(stack), "a sign of life that names it")
    assert {process.pid for process in stack.pool()} == renewed, "each is replaced once"
    # The nodes, laid out for the compiled loop, take a third of the file's size beside the model.
    assert manifest.size > 80e6
    assert pool_memory(stack) - before < 1.8 * manifest.size
