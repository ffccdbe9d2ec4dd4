"""skops is imported without a walk through scikit-learn, and the same types are trusted."""

import subprocess
import sys

import pytest
from sklearn.utils import all_estimators

from workers.models.formats.pickled.skops_library import is_estimator

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
