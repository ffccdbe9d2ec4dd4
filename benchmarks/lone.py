"""One copy of a model: what a process of its own takes to load it and to predict once."""

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

from cli.process import ROOT

LOADED_HERE = (
    sklearn.ensemble,
    sklearn.linear_model,
    sklearn.pipeline,
    sklearn.preprocessing,
)
"""So that libraries are not counted as the model's."""


def one_copy(path: Path) -> int:
    """Bytes of proportional memory."""
    told = subprocess.run(
        [sys.executable, "-m", "benchmarks.lone", str(path)],
        cwd=ROOT,
        capture_output=True,
        timeout=120,
        check=True,
    )
    return int(json.loads(told.stdout))


def _grown(path: Path) -> int:
    before = _memory()
    model: Any = joblib.load(path)
    model.predict(np.zeros((1, model.n_features_in_)))
    return _memory() - before


def _memory() -> int:
    found = re.search(r"^Pss: +(\d+)", Path("/proc/self/smaps_rollup").read_text(), re.MULTILINE)
    return int(found[1]) * 1024 if found else 0


if __name__ == "__main__":
    print(_grown(Path(sys.argv[1])))
