"""Kernels of isolation forests."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.ensemble import IsolationForest
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from tests.unit.workers.kernels.kernel_bits import assert_same_bits, assert_same_error
from workers.models.kernels.accelerating import accelerated
from workers.models.kernels.trees.thresholds import rows_on_thresholds, splits_of

RANDOM = np.random.default_rng(0)
ROWS = RANDOM.normal(size=(300, 4))


@pytest.mark.parametrize("contamination", ["auto", 0.05])
def test_kernels_of_isolation_forests_give_the_same_bits(contamination: Any) -> None:
    forest = IsolationForest(n_estimators=20, contamination=contamination, random_state=0).fit(ROWS)
    near = rows_on_thresholds(splits_of(forest.estimators_), 4, nan_allowed=False)
    twin = assert_same_bits(forest, ROWS, ROWS[:1], near, ROWS.astype("f4"), ROWS.tolist())
    assert twin.score_samples(near).tobytes() == forest.score_samples(near).tobytes()
    for unusual in (np.full((1, 4), np.inf), np.full((2, 4), np.nan)):
        assert twin.score_samples(unusual).tobytes() == forest.score_samples(unusual).tobytes()
    for wrong in (ROWS[:, :3], ROWS[:0]):
        assert_same_error(forest, twin, wrong)


def test_kernels_of_isolation_forests_work_on_frames_and_in_pipelines() -> None:
    frame = pd.DataFrame(ROWS, columns=list("abcd"))
    for model in (
        IsolationForest(n_estimators=5),
        make_pipeline(StandardScaler(), IsolationForest(n_estimators=5)),
    ):
        twin = assert_same_bits(model.fit(frame), frame, frame[:1])
        assert_same_error(model, twin, frame[list("abc")])


@pytest.mark.parametrize("given", [{"max_features": 0.5}, {"max_samples": 1}], ids=str)
def test_kernels_are_not_made_of_other_isolation_forests(given: Any) -> None:
    forest = IsolationForest(n_estimators=5, random_state=0, **given).fit(ROWS)
    assert accelerated(forest, "m:1") is forest
