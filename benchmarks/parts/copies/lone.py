"""Memory of one copy of models: a process of its own that loads them and predicts once."""

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import sklearn.ensemble
import sklearn.linear_model
import sklearn.pipeline
import sklearn.preprocessing

from stack.process import ROOT

LOADED_HERE = (
    sklearn.ensemble,
    sklearn.linear_model,
    sklearn.pipeline,
    sklearn.preprocessing,
)
"""Imported first, so that libraries do not count as memory of the model."""


def one_copy(path: Path, times: int = 1) -> int:
    """Proportional set size, in bytes, of a file loaded so many times."""
    told = subprocess.run(
        [sys.executable, "-m", "benchmarks.parts.copies.lone", str(path), str(times)],
        cwd=ROOT,
        capture_output=True,
        timeout=120,
        check=True,
    )
    return int(json.loads(told.stdout))


def _grown(path: Path, times: int) -> int:
    before = _memory()
    held: list[Any] = [joblib.load(path) for _ in range(times)]
    for model in held:
        model.predict(np.zeros((1, model.n_features_in_)))
    return _memory() - before


def _memory() -> int:
    found = re.search(r"^Pss: +(\d+)", Path("/proc/self/smaps_rollup").read_text(), re.MULTILINE)
    return int(found[1]) * 1024 if found else 0


if __name__ == "__main__":
    print(_grown(Path(sys.argv[1]), int(sys.argv[2])))
