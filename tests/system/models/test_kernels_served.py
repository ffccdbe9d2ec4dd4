"""Kernels behind the API: the bits of scikit-learn, and receipts that name the kernels."""

import numpy as np
from sklearn.datasets import load_breast_cancer

from registry.store import Registry
from tests.support.stack import LiveStack
from workers.models.artifacts import load_artifact

ROWS = load_breast_cancer().data[:40]


def test_kernels_served_give_the_bits_of_the_model(stack: LiveStack) -> None:
    registry = Registry(stack.home)
    manifest = registry.resolve("breast-cancer:1").manifest
    forest = load_artifact(registry.artifact(manifest), manifest).estimator
    found = np.array(stack.predict("breast-cancer", ROWS.tolist(), method="predict_proba"))
    assert found.tobytes() == forest.predict_proba(ROWS).tobytes()


def test_kernels_served_are_named_in_receipts(stack: LiveStack) -> None:
    for model in "breast-cancer", "diabetes", "iris":
        row = stack.http.get(f"/models/{model}").json()["details"][0]["example"]
        receipt = stack.outcome(stack.submit(model, row)["id"])["receipt"]
        assert receipt["runtime"].endswith(", exact kernels")
