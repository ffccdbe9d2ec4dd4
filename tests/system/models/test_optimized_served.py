"""A version whose small calls ONNX Runtime computes, behind the API."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import skops.io
from msgspec.structs import replace
from sklearn.neural_network import MLPClassifier

from registry.manifest import Optimization
from registry.store import Registry
from tests.support.stack import LiveStack
from workers.gate.warming import warmed
from workers.models.registration import examine

pytest.importorskip("skl2onnx")
FRAME = pd.DataFrame(np.random.default_rng(0).normal(size=(100, 3)), columns=list("abc"))
TARGET = np.where(FRAME.a * FRAME.b > 0, "yes", "no")


def test_optimized_served_gives_the_answers_of_the_model(stack: LiveStack, tmp_path: Path) -> None:
    network = MLPClassifier((8,), max_iter=30, random_state=0).fit(FRAME, TARGET)
    skops.io.dump(network, tmp_path / "model")
    found = examine(tmp_path / "model", trust=True, sample=FRAME)
    chosen = Optimization("ONNX Runtime 1", 64)
    state, golden = warmed(found, waits_for_stack=False)
    description = replace(found.description, optimization=chosen)
    Registry(stack.home).add("net", description, found.content, state=state, golden=golden)
    for rows in (FRAME[:1], FRAME):
        outcome = stack.outcome(
            stack.submit("net", rows.to_numpy().tolist(), "predict_proba")["id"]
        )
        assert np.allclose(outcome["predictions"], network.predict_proba(rows), 1e-12, 1e-13)
        assert outcome["receipt"]["runtime"].endswith("; ONNX Runtime 1 for calls of up to 64 rows")
