"""`predictq models export`: a folder that answers by itself, with an ONNX file if it is sound."""

import runpy
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import joblib
import numpy as np
import pandas as pd
import pytest
from click.testing import Result
from sklearn.ensemble import RandomForestClassifier

from tests.unit.cli.models.conftest import IRIS

Run = Callable[..., Result]
ALONE = """
import runpy, sys
sys.modules.update(dict.fromkeys(["sklearn", "pandas", "predictq", "cli", "workers"]))
runpy.run_path(sys.argv[1], run_name="__main__")
"""


@pytest.fixture
def sample(tmp_path: Path) -> str:
    pd.DataFrame(IRIS[0][::10], columns=list("abcd")).to_parquet(tmp_path / "rows.parquet")
    return str(tmp_path / "rows.parquet")


def _printed(folder: Path, *command: str) -> str:
    started = [sys.executable, "-P", *command]
    told = subprocess.run(started, cwd=folder, capture_output=True, text=True, check=False)
    return told.stdout + told.stderr


def _files(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


def test_models_export_makes_a_folder_that_answers_by_itself(
    run: Run, file: str, sample: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("skl2onnx")
    target = tmp_path / "exported"
    run("add", "m", file, "--sample", sample)
    assert run("export", "m:1", str(target)).output.splitlines() == [
        f"exported m:1 to {target}; python {target}/load.py checks it",
        f"ONNX file with the same answers: {target}/onnx",
    ]
    assert _files(target) == {
        *("model.skops", "sample.parquet", "answers.json", "manifest.json", "load.py", "README.md"),
        *(f"onnx/{name}" for name in ("model.onnx", "rows.npy", "answers.json", "load.py")),
    }
    assert _printed(target, "load.py") == "same answers\n"
    # Without scikit-learn, pandas and predictq, as on a device.
    told = _printed(target / "onnx", "-c", ALONE, "load.py")
    assert told == "predict same answers\npredict_proba same answers\n"
    loader = str(target / "onnx/load.py")
    with pytest.raises(ValueError, match="missing values and infinities"):
        runpy.run_path(loader)["answer"](IRIS[0][:1] * np.nan)
    np.save(target / "onnx/rows.npy", IRIS[0][:15] + 5)
    runpy.run_path(loader, run_name="__main__")
    assert "OTHER ANSWERS" in capsys.readouterr().out
    assert run("export", "m:1", str(target)).exit_code == 1


def test_models_export_writes_no_onnx_file_with_other_answers(
    run: Run, sample: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("skl2onnx")
    forest = RandomForestClassifier(5, random_state=0).fit(*IRIS)
    joblib.dump({"model": forest, "feature_names": list("abcd")}, tmp_path / "forest")
    run("add", "m", str(tmp_path / "forest"), "--trust", "--sample", sample)
    target = tmp_path / "exported"
    (_, told) = run("export", "m", str(target)).output.splitlines()
    assert told.startswith("no ONNX file: predict")
    reason = told.removeprefix("no ONNX file: ")
    assert f"There is no ONNX file: {reason}." in (target / "README.md").read_text()
    assert not (target / "onnx").exists()
    runpy.run_path(str(target / "load.py"), run_name="__main__")
    assert capsys.readouterr().out == "same answers\n"


def test_models_export_without_a_sample_cannot_compare(run: Run, file: str, tmp_path: Path) -> None:
    run("add", "m", file)
    assert "no ONNX file: without a sample" in run("export", "m", str(tmp_path / "out")).output
    assert _files(tmp_path / "out") == {"model.skops", "manifest.json", "load.py", "README.md"}


def test_models_export_refuses_a_damaged_artifact(run: Run, file: str, tmp_path: Path) -> None:
    run("add", "m", file)
    (artifact,) = (tmp_path / "home").rglob("artifacts/*")
    artifact.chmod(0o600)
    artifact.write_bytes(b"other")
    assert "was changed after its registration" in run("export", "m", str(tmp_path / "out")).stderr
    assert not (tmp_path / "out").exists()
