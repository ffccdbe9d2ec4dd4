"""The loops over trees, run by Python as they are written, give the bits of scikit-learn.

Other tests run what numba makes of them, of which no measurement of coverage sees a line.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier

from tests.unit.workers.kernels.kernel_bits import assert_same_bits
from workers.models.kernels.compiled import loops
from workers.models.kernels.trees import forests, histograms

RANDOM = np.random.default_rng(0)
ROWS = RANDOM.normal(size=(60, 3))
LABELS = np.where(ROWS[:, 0] > 0.6, "high", np.where(ROWS[:, 1] > 0, "middle", "low"))


class LoopsInPython:
    """Stands for `machine_code.Loops`."""

    def over(self, name: str, nodes: Any, *arrays: Any) -> Callable[[Any, Any], None]:
        """A loop over these arrays; numba reads the fields of nodes as attributes."""
        fixed = nodes.view(np.recarray), *arrays
        return lambda rows, out: getattr(loops, name)(rows, *fixed, out)


@pytest.fixture(autouse=True)
def in_python(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (forests, histograms):
        monkeypatch.setattr(module, "compiled_loops", LoopsInPython)


def test_loop_over_forests_gives_the_bits_of_scikit_learn() -> None:
    missing = ROWS.copy()
    missing[::7, 1] = np.nan
    model = RandomForestClassifier(n_estimators=3, random_state=0).fit(missing, LABELS)
    # Four rows walk together, and what is left walks alone.
    assert_same_bits(model, missing, missing[:3], ROWS[:6])


def test_loop_over_histograms_gives_the_bits_of_scikit_learn() -> None:
    frame = pd.DataFrame(ROWS, columns=list("abc"))
    frame["k"] = pd.Categorical(RANDOM.choice(list("xyzw"), 60))
    frame.loc[::5, "a"] = np.nan
    frame.loc[::9, "k"] = None
    model = HistGradientBoostingClassifier(
        max_iter=3, min_samples_leaf=3, categorical_features="from_dtype"
    )
    model.fit(frame, LABELS)
    assert_same_bits(model, frame, frame[:5])
