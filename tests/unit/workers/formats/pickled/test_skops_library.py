"""skops is imported without a walk through scikit-learn, and the same types are trusted."""

import os
import subprocess
import sys
from typing import Any

import pytest
import skops.io
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.preprocessing import FunctionTransformer
from sklearn.utils import all_estimators

from telemetry.errors import UntrustedArtifact
from workers.models.formats.model_format import LoadOptions
from workers.models.formats.pickled import skops_parsing
from workers.models.formats.pickled.pickles import load_skops
from workers.models.formats.pickled.skops_library import is_estimator, skops_library

X, Y = [[0.0], [1.0], [2.0], [3.0]], [0, 0, 1, 1]

MODULES = """
import sys
from workers.models.formats.pickled.skops_library import skops_library

skops_library()
import sklearn.utils
print("sklearn.gaussian_process" in sys.modules, sklearn.utils.all_estimators.__name__)
"""
OTHER_CODE = """
from workers.models.formats.model_format import LoadOptions
from workers.models.formats.pickled.pickles import load_skops
from workers.models.formats.pickled.skops_library import skops_library

skops_library()
import skops.io
from sklearn.linear_model import LogisticRegression

content = skops.io.dumps(LogisticRegression(C=3).fit([[0], [1]], [0, 1]))
print(skops.io is skops_library(), skops.io.loads(content).C)
print(load_skops(content, LoadOptions()).C)
copy, own = skops_library()._trusted_types, skops.io._trusted_types
for name in "NUMPY_UFUNC_TYPE_NAMES", "SCIPY_UFUNC_TYPE_NAMES":
    assert getattr(copy, name) == getattr(own, name), name
    assert len(getattr(own, name)) > 50
assert skops_library()._utils.whichmodule.__module__ == "skops.io._utils"
"""


def _printed(code: str) -> str:
    run = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=100, check=False
    )
    assert run.returncode == 0, run.stderr
    return run.stdout


def test_skops_library_imports_no_other_module_of_scikit_learn() -> None:
    assert _printed(MODULES) == "False all_estimators\n"


def test_skops_library_leaves_other_code_a_skops_that_trusts_estimators() -> None:
    assert _printed(OTHER_CODE) == "False 3\n3\n"


@pytest.fixture(params=["once", "twice"])
def parsing(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The way of this release of skops, and that of older ones; what was parsed."""
    reading, calls = skops_library()._persist, []
    get_tree = reading.get_tree

    def counted(*given: Any, **named: Any) -> Any:
        calls.append("parsed")
        return get_tree(*given, **named)

    monkeypatch.setattr(reading, "get_tree", counted)
    if request.param == "twice":
        monkeypatch.setattr(skops_parsing, "skops_library", _OlderSkops)
    return calls


class _OlderSkops:
    """The public functions of skops, without those of newer releases."""

    _persist: Any = None

    def __getattr__(self, name: str) -> Any:
        return getattr(skops_library(), name)


def test_skops_file_is_parsed_once_if_skops_can(
    request: pytest.FixtureRequest, parsing: list[str]
) -> None:
    content = skops.io.dumps(
        HistGradientBoostingClassifier(max_iter=20, min_samples_leaf=1).fit(X, Y)
    )
    model = load_skops(content, LoadOptions())
    assert model.predict(X).tolist() == [0, 0, 1, 1]
    assert len(parsing) == {"once": 1, "twice": 2}[request.node.callspec.params["parsing"]]


@pytest.mark.usefixtures("parsing")
def test_skops_file_with_another_type_is_refused_before_anything_is_built() -> None:
    content = skops.io.dumps(FunctionTransformer(os.system))
    with pytest.raises(UntrustedArtifact, match=r"posix\.system"):
        load_skops(content, LoadOptions())


def test_is_estimator_of_every_estimator_that_skops_trusts() -> None:
    names = {f"{each.__module__}.{each.__name__}" for _, each in all_estimators()}
    assert len(names) > 150
    assert not [name for name in names if not is_estimator(name)]


@pytest.mark.parametrize(
    "name",
    [
        "sklearn.base.BaseEstimator",
        "sklearn.ensemble._forest.ForestClassifier",
        "sklearn.ensemble.RandomForestClassifier",
        "sklearn.ensemble._forest.joblib",
        "sklearn.utils._mocking.CheckingClassifier",
        "sklearn.utils.estimator_checks.BaseBadClassifier",
        "sklearn.nowhere.Estimator",
        "sklearn._BaseEstimator",
        "sklearn.calibration._SigmoidCalibration",
        "os.system",
        "sklearnx.svm.SVC",
        "sklearn.svm._classes.",
        "",
    ],
)
def test_is_estimator_of_other_names(name: str) -> None:
    assert not is_estimator(name)
