"""What `models add` takes from a directory of MLflow, and what `--optimize` says."""

import json
import pickle
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import skops.io
from click.testing import Result
from sklearn.datasets import load_iris
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.neural_network import MLPClassifier

from registry.store import Registry
from workers.models.engine import SklearnEngine
from workers.models.optimizing import choosing

Run = Callable[..., Result]
X, Y = load_iris(return_X_y=True)
FRAME = pd.DataFrame(X, columns=list("abcd"))
MLMODEL = """\
flavors:
  sklearn:
    code: null
    pickled_model: model.pkl
"""


def _mlflow(path: Path, requirements: str) -> str:
    path.mkdir()
    (path / "MLmodel").write_text(MLMODEL)
    (path / "model.pkl").write_bytes(pickle.dumps(LogisticRegression(max_iter=300).fit(FRAME, Y)))
    (path / "requirements.txt").write_text(requirements)
    example = {"columns": list("abcd"), "data": X[:2].tolist()}
    (path / "input_example.json").write_text(json.dumps(example))
    return str(path)


def test_models_add_takes_requirements_and_example_of_mlflow(run: Run, tmp_path: Path) -> None:
    added = run(
        "add", "m", _mlflow(tmp_path / "saved", "mlflow==3.17.2\nscikit-learn\n"), "--trust"
    )
    assert added.exit_code == 0, added.output
    assert added.output.startswith("the shared environment meets the requirements\n")
    shown = json.loads(run("show", "m", "--json").output)
    assert (shown["example"], shown["environment"]) == (X[0].tolist(), None)


def test_models_add_takes_given_requirements_in_place_of_those_of_mlflow(
    run: Run, tmp_path: Path
) -> None:
    saved = _mlflow(tmp_path / "saved", "-e ./mypackage\n")
    refused = run("add", "m", saved, "--trust")
    assert refused.exit_code == 1
    assert "'-e ./mypackage' cannot be kept with a version" in refused.stderr
    assert run("add", "m", saved, "--trust", "--requirements", "scikit-learn").exit_code == 0


def _saved(tmp_path: Path, model: object) -> list[str]:
    skops.io.dump(model, tmp_path / "model")
    FRAME.to_parquet(tmp_path / "rows.parquet")
    sample = str(tmp_path / "rows.parquet")
    return [str(tmp_path / "model"), "--trust", "--sample", sample, "--optimize", "auto"]


def test_models_add_optimizes_a_network_and_shows_it(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("skl2onnx")
    times = iter([90.0, 9.0, 95.0, 20.0, 100.0, 99.0])
    monkeypatch.setattr(choosing, "microseconds", lambda *_: next(times))
    network = MLPClassifier((16, 8), max_iter=50, random_state=0).fit(FRAME, Y)
    added = run("add", "m", *_saved(tmp_path, network))
    assert added.exit_code == 0, added.output
    assert "computes calls of up to 64 rows" in added.output
    shown = run("show", "m").output
    assert "1 rows 90.0 µs, 64 rows 95.0 µs, 10000 rows 100.0 µs" in shown
    registry = Registry(tmp_path / "home")
    manifest, engine = registry.resolve("m").manifest, SklearnEngine(registry)
    assert "ONNX Runtime" in engine.runtime_of(manifest)
    for rows in (FRAME[:1], FRAME[:64], FRAME):
        found = engine.answer(manifest, "predict_proba", rows).output
        assert np.allclose(found, network.predict_proba(rows), 1e-12, 1e-13)


def test_models_add_says_why_it_does_not_optimize(run: Run, tmp_path: Path) -> None:
    pytest.importorskip("skl2onnx")
    forest = RandomForestClassifier(5, random_state=0).fit(FRAME, Y)
    added = run("add", "m", *_saved(tmp_path, forest))
    assert added.exit_code == 0, added.output
    assert "not optimized: predict_proba differs in" in added.output
    assert "not optimized: predict_proba differs in" in run("show", "m").output


def test_models_add_optimizes_only_with_a_sample(run: Run, file: str) -> None:
    refused = run("add", "m", file, "--optimize", "auto")
    assert (refused.exit_code, refused.stderr) == (
        1,
        "error: --optimize compares answers on a sample; give --sample\n",
    )


def test_models_add_compares_no_answers_of_a_model_that_draws_numbers(
    run: Run, tmp_path: Path
) -> None:
    source = "import random\ndef draw(rows):\n    return [random.random() for _ in rows.a]\n"
    (tmp_path / "draws.py").write_text(source)
    (tmp_path / "rows.json").write_text('[{"a": 1.0}, {"a": 2.0}]')
    rows = str(tmp_path / "rows.json")
    added = run("add", "m", f"{tmp_path}/draws.py:draw", "--trust", "--sample", rows)
    assert added.exit_code == 0, added.output
    assert "two calls with the same rows give different answers, so these were" in added.output
    assert "proved" not in added.output
    registry = Registry(tmp_path / "home")
    manifest = registry.resolve("m").manifest
    assert registry.golden_rows(manifest) is None
    assert registry.readiness(manifest).varies
