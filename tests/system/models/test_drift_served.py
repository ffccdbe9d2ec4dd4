"""Rows of predictions are counted for drift, by real workers."""

from pathlib import Path

import numpy as np
import pandas as pd
import skops.io
from sklearn.linear_model import LogisticRegression

from registry.store import Registry
from tests.support.stack import LiveStack, until
from workers.drift.describing import baseline_of
from workers.models.registration import examine

FRAME = pd.DataFrame(np.random.default_rng(0).normal(size=(400, 2)), columns=["a", "b"])
ROWS = 600
"""Of a request; the process that computes it counts them all."""


def test_drift_of_served_rows_is_shown(stack: LiveStack, tmp_path: Path) -> None:
    model = LogisticRegression().fit(FRAME, FRAME.a > 0)
    skops.io.dump(model, tmp_path / "model")
    found = examine(tmp_path / "model", sample=FRAME)
    baseline = baseline_of(found.description.signature, found.inspected.own_answers)
    Registry(stack.home).add("drifting", found.description, found.content, baseline=baseline)
    random = np.random.default_rng(1)
    moved = pd.DataFrame({"a": random.normal(3, 1, ROWS), "b": random.normal(0, 1, ROWS)})
    stack.outcome(stack.submit("drifting", moved.to_numpy().tolist())["id"])

    def shown():
        answer = stack.owner.get("/models/drifting/drift").json()
        return answer if answer["rows"] else None

    state = until(shown, "the rows were counted")
    assert (state["status"], state["rows"], state["sample_rows"]) == ("drifted", ROWS, 400)
    drifted = {each["name"]: each["drifted"] for each in state["features"]}
    assert (drifted["a"], drifted["b"], drifted["predict"]) == (True, False, True)
