"""The requirements and the input example in a directory of MLflow, beside its model."""

import json
import re
from pathlib import Path
from typing import Any

from telemetry.errors import Invalid
from workers.models.formats.mlflow.directory import MLMODEL

_EXAMPLE, _REQUIREMENTS = "input_example.json", "requirements.txt"
_MLFLOW = re.compile(r"mlflow(-skinny)?\b", re.IGNORECASE)
_PASSED_OVER = re.compile(r"\s*(#|(-c|--constraint)\b)")
"""Comments, and the file of constraints that MLflow writes beside: it is of another machine."""
_READS_MLMODEL = "PyYAML"


def mlflow_requirements(path: Path) -> tuple[str, ...]:
    """The requirements of a directory of MLflow; none of anything else.

    MLflow itself is left out, unless the directory has code or a function that it must load; what
    reads `MLmodel` is added. Raises `Invalid` if they cannot be read.
    """
    text = _text(path, _REQUIREMENTS)
    if text is None:
        return ()
    lines = [line.strip() for line in text.splitlines() if not _PASSED_OVER.match(line)]
    wanted = [line for line in lines if line and (_needs_mlflow(path) or not _MLFLOW.match(line))]
    return (*wanted, _READS_MLMODEL) if wanted else ()


def mlflow_example(path: Path) -> Any:
    """The rows of a directory's input example; None if it has none, or one that is no table.

    Raises `Invalid` if it cannot be read.
    """
    text = _text(path, _EXAMPLE)
    if text is None:
        return None
    try:
        found = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise Invalid(f"{path / _EXAMPLE} is not JSON: {str(error).splitlines()[0]}") from error
    return _rows(found) or None


def _rows(found: Any) -> list[Any]:
    """Rows as lists or objects; MLflow writes columns and data apart."""
    if isinstance(found, dict) and isinstance(found.get("columns"), list):
        names, rows = list(map(str, found["columns"])), found.get("data")
        if not isinstance(rows, list) or not all(isinstance(row, list) for row in rows):
            return []
        return [dict(zip(names, row, strict=False)) for row in rows]
    if isinstance(found, list) and all(isinstance(row, list | dict) for row in found):
        return found
    return []


def _needs_mlflow(path: Path) -> bool:
    """Whether MLflow loads the model; a line tells, as the file is parsed later."""
    text = _text(path, MLMODEL) or ""
    own = re.search(r"^  (sklearn|xgboost|lightgbm|catboost|onnx):", text, re.MULTILINE)
    return own is None or re.search(r"^    code: (?!null)", text, re.MULTILINE) is not None


def _text(path: Path, name: str) -> str | None:
    """The text of a file in a directory of MLflow; None if there is none."""
    if not (path / MLMODEL).is_file() or not (path / name).is_file():
        return None
    try:
        return (path / name).read_text()
    except (OSError, UnicodeDecodeError) as error:
        raise Invalid(f"{path / name} cannot be read: {error}") from error
