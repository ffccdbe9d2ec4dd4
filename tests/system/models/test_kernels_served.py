"""Kernels behind the API: the bits of scikit-learn, and receipts that name the kernels."""

import json
from pathlib import Path

import joblib
import numpy as np
import pandas as pd
from sklearn.compose import make_column_transformer
from sklearn.datasets import load_breast_cancer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from registry.store import Registry
from tests.support.stack import LiveStack
from workers.models.artifacts import load_artifact
from workers.models.registration import examine

ROWS = load_breast_cancer().data[:40]
FRAME = pd.DataFrame(
    {
        "months": [1, 24, 3, 18, 36, 2],
        "spent": [10.5, None, 7.0, 99.9, 20.0, None],
        "plan": ["free", "paid", None, "paid", "team", "free"],
    }
)


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


def test_kernels_served_answer_frames_of_mixed_columns(stack: LiveStack, tmp_path: Path) -> None:
    numbers = make_pipeline(SimpleImputer(), StandardScaler())
    plans = make_pipeline(
        SimpleImputer(strategy="most_frequent"), OneHotEncoder(handle_unknown="ignore")
    )
    split = make_column_transformer((numbers, ["months", "spent"]), (plans, ["plan"]))
    model = make_pipeline(split, LogisticRegression()).fit(FRAME, FRAME.months > 12)
    joblib.dump(model, tmp_path / "churn")
    found = examine(tmp_path / "churn", trust=True, sample=FRAME)
    Registry(stack.home).add("framed", found.description, found.content)
    rows = json.loads(FRAME.to_json(orient="records"))
    for given in ([*rows, {"months": 3, "spent": None, "plan": "new"}], rows[:1]):
        outcome = stack.outcome(stack.submit("framed", given, "predict_proba")["id"])
        own = model.predict_proba(pd.DataFrame(given))
        assert np.array(outcome["predictions"]).tobytes() == own.tobytes()
        assert outcome["receipt"]["runtime"].endswith(", exact kernels")
