"""Trains and registers three models on data that ships with scikit-learn, for a first start."""

from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import msgspec
import pandas as pd
from sklearn.datasets import load_breast_cancer, load_diabetes, load_iris
from sklearn.ensemble import HistGradientBoostingRegressor, RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from threadpoolctl import threadpool_limits

from registry.baseline import Baseline
from registry.manifest import Description
from registry.readiness import GoldenRows, Readiness
from registry.store import Registry
from tasks.settings import Settings
from workers.drift.describing import baseline_of
from workers.gate.warming import warmed
from workers.models.artifacts import save
from workers.models.registration import examine


class _Made(msgspec.Struct, frozen=True):
    description: Description
    artifact: bytes
    state: Readiness
    golden: GoldenRows | None
    baseline: Baseline | None


class _Demo(msgspec.Struct, frozen=True):
    name: str
    data: Callable[[], Any]
    estimator: Any
    metric: str


_DEMOS = (
    _Demo("iris", load_iris, make_pipeline(StandardScaler(), LogisticRegression()), "accuracy"),
    _Demo("breast-cancer", load_breast_cancer, RandomForestClassifier(random_state=0), "accuracy"),
    _Demo("diabetes", load_diabetes, HistGradientBoostingRegressor(random_state=0), "r2"),
)


def register_demos(home: Path) -> None:
    """Register each demo as version 1, alias ``production``, unless the registry has models."""
    registry = Registry(home)
    if registry.models():
        return
    # Train all before adding the first, so that after an interrupted start the next one retries.
    # In one thread: on busy cores, threads of a fit spin while they wait for each other.
    with threadpool_limits(1):
        made = [(demo.name, _made(demo)) for demo in _DEMOS]
    for name, each in made:
        registry.add(
            *(name, each.description, each.artifact),
            state=each.state,
            golden=each.golden,
            baseline=each.baseline,
            alias="production",
        )


def _made(demo: _Demo) -> _Made:
    """Fit on four fifths of the data, score on the rest, and save as a .skops file."""
    data = demo.data()
    x, held_out, y, truth = train_test_split(data.data, data.target, test_size=0.2, random_state=0)
    model = demo.estimator.fit(x, y)
    score = f"{model.score(held_out, truth):.4f}"
    print(f"demo model {demo.name}: {demo.metric} {score}", flush=True)
    names = [str(name) for name in data.feature_names]
    sample = pd.DataFrame(held_out, columns=names)
    with TemporaryDirectory() as directory:
        path = Path(directory) / "model.skops"
        save({"model": model, "feature_names": names}, path)
        metadata = {demo.metric: score, "data": f"{demo.name}, scored on a held-out fifth"}
        found = examine(path, sample=sample, metadata=metadata)
        baseline = baseline_of(found.description.signature, found.inspected.own_answers)
        state, golden = warmed(found, waits_for_stack=False)
        return _Made(found.description, found.content, state, golden, baseline)


if __name__ == "__main__":
    register_demos(Settings.from_environment().home)
