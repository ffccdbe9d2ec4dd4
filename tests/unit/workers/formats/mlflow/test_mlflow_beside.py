"""Requirements and input examples of MLflow directories."""

import json
from pathlib import Path
from typing import Any

import pytest

from telemetry.errors import Invalid
from workers.models.formats.mlflow.beside import mlflow_example, mlflow_requirements

OWN = (
    "flavors:\n  python_function:\n    loader_module: mlflow.sklearn\n  sklearn:\n    code: null\n"
)
LINES = "mlflow==3.17.2\n# of training\nscikit-learn==1.9.1\n\nmlflow-skinny\nmlflowish\n"


def _directory(path: Path, mlmodel: str = OWN, **files: str) -> Path:
    (path / "MLmodel").write_text(mlmodel)
    for name, text in files.items():
        (path / name.replace("_txt", ".txt").replace("_json", ".json")).write_text(text)
    return path


def test_mlflow_requirements_leave_out_mlflow_where_a_flavor_has_its_own_file(
    tmp_path: Path,
) -> None:
    path = _directory(tmp_path, requirements_txt=LINES)
    assert mlflow_requirements(path) == ("scikit-learn==1.9.1", "mlflowish", "PyYAML")


@pytest.mark.parametrize(
    "mlmodel",
    [OWN.replace("code: null", "code: code"), "flavors:\n  python_function:\n    env: conda\n"],
    ids=["code", "function"],
)
def test_mlflow_requirements_keep_mlflow_where_it_loads_the_model(
    tmp_path: Path, mlmodel: str
) -> None:
    path = _directory(tmp_path, mlmodel, requirements_txt="mlflow==3.17.2\n")
    assert mlflow_requirements(path) == ("mlflow==3.17.2", "PyYAML")


def test_mlflow_requirements_of_other_models_are_none(tmp_path: Path) -> None:
    (tmp_path / "requirements.txt").write_text(LINES)
    assert mlflow_requirements(tmp_path) == ()
    assert mlflow_requirements(_directory(tmp_path, requirements_txt="mlflow\n")) == ()
    (tmp_path / "requirements.txt").unlink()
    assert mlflow_requirements(tmp_path) == ()
    assert mlflow_requirements(tmp_path / "model.pkl") == ()


@pytest.mark.parametrize(
    ("saved", "rows"),
    [
        ({"columns": ["a", "b"], "data": [[1, 2.5]]}, [{"a": 1, "b": 2.5}]),
        ({"columns": [0, 1], "index": [0], "data": [[1, None]]}, [{"0": 1, "1": None}]),
        ([[1, 2], [3, 4]], [[1, 2], [3, 4]]),
        ([{"a": 1}], [{"a": 1}]),
        ({"messages": [{"role": "user"}]}, None),
        ("what is this", None),
        ([1, 2], None),
    ],
    ids=["split", "index", "lists", "objects", "chat", "text", "vector"],
)
def test_mlflow_example_of_what_mlflow_writes(tmp_path: Path, saved: Any, rows: Any) -> None:
    path = _directory(tmp_path, input_example_json=json.dumps(saved))
    assert mlflow_example(path) == rows


def test_mlflow_example_that_is_absent_or_broken(tmp_path: Path) -> None:
    assert mlflow_example(_directory(tmp_path)) is None
    with pytest.raises(Invalid, match="input_example.json is not JSON"):
        mlflow_example(_directory(tmp_path, input_example_json="{"))
    (tmp_path / "input_example.json").write_bytes(b"\xff")
    with pytest.raises(Invalid, match="cannot be read"):
        mlflow_example(tmp_path)
