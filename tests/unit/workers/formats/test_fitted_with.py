"""The version of scikit-learn that saved a model is read without loading it, and told once."""

import gzip
import io
import pickle
import warnings

import joblib
import pandas as pd
import pytest
import sklearn
import skops.io
from sklearn.datasets import load_iris
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from telemetry.errors import ModelUnloadable
from workers.models.artifacts import open_artifact
from workers.models.formats.pickled.fitted_with import fitted_with
from workers.models.registration import examine

HERE = sklearn.__version__
X, Y = load_iris(return_X_y=True)
OLD = "0" + HERE[1:]
"""Another version, of the same length, so that the bytes of a pickle stay sound."""


@pytest.fixture(scope="module")
def model():
    return make_pipeline(StandardScaler(), RandomForestClassifier(3)).fit(X, Y)


def by_joblib(compress):
    def dump(model):
        target = io.BytesIO()
        joblib.dump(model, target, compress=compress)
        return target.getvalue()

    return dump


SAVERS = {
    **{f"pickle-{n}": lambda model, n=n: pickle.dumps(model, n) for n in range(6)},
    **{
        f"joblib-{way}": by_joblib((way, 3) if way else 0)
        for way in ("", "zlib", "gzip", "bz2", "xz", "lzma")
    },
    "skops": skops.io.dumps,
}


@pytest.mark.parametrize("way", SAVERS)
def test_fitted_with_reads_the_version(model, way):
    content = SAVERS[way](model)
    assert fitted_with(content) == HERE
    assert fitted_with(content[: len(content) // 20]) in ("", HERE)


@pytest.mark.parametrize(
    "content",
    [b"", b"x", b"PK\3\4", b"BZh9", b"\x1f\x8b", pickle.dumps([1]), gzip.compress(b"1")],
    ids=["empty", "text", "zip", "bz2", "start of gzip", "pickle", "gzip"],
)
def test_fitted_with_says_nothing_of_other_files(content):
    assert fitted_with(content) == ""


def test_fitted_with_another_version_is_declared_without_a_warning(tmp_path, model):
    path = tmp_path / "m.pkl"
    path.write_bytes(pickle.dumps(model).replace(HERE.encode(), OLD.encode()))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = examine(path, trust=True)
    assert found.description.declared == {"scikit-learn": OLD}
    assert found.description.libraries["scikit-learn"] == HERE


def test_fitted_with_a_version_that_cannot_be_loaded_names_both_and_the_remedies(tmp_path):
    content = pickle.dumps(LogisticRegression(max_iter=300).fit(X, Y)).replace(
        HERE.encode(), OLD.encode()
    )
    (tmp_path / "m.pkl").write_bytes(content.replace(b"._logistic", b".logistic_"))
    told = (
        rf"saved with scikit-learn {OLD}, and {HERE} is installed here: register it with "
        rf"--requirements scikit-learn=={OLD}, or fit it anew with {HERE} \(ModuleNotFoundError"
    )
    with pytest.raises(ModelUnloadable, match=told):
        open_artifact(tmp_path / "m.pkl", trust=True)


def test_fitted_with_a_version_that_cannot_answer_names_both(tmp_path):
    fitted = LogisticRegression(max_iter=300).fit(X, Y)
    del fitted.coef_
    fitted.coef_of_old = 1
    content = pickle.dumps(fitted).replace(HERE.encode(), OLD.encode())
    (tmp_path / "m.pkl").write_bytes(content)
    with pytest.raises(ModelUnloadable, match=f"saved with scikit-learn {OLD}, and {HERE}"):
        examine(tmp_path / "m.pkl", trust=True, sample=pd.DataFrame(X))


def by_protocol_2(module):
    return b"\x80\x02c%b\nLocal\n)\x81." % module.encode()


def by_protocol_4(module):
    return b"\x80\x04\x8c%c%b\x8c\x05Local\x93)\x81." % (len(module), module.encode())


@pytest.mark.parametrize("dumped", [by_protocol_2, by_protocol_4])
@pytest.mark.parametrize(
    ("module", "told"),
    [
        ("__main__", "it holds Local of __main__, the script or notebook that saved it: move Lo"),
        ("absent_", "it needs the module 'absent_', which is not installed here"),
        ("telemetry", "it holds Local of the module telemetry, which has no Local"),
    ],
    ids=["main", "absent", "changed"],
)
def test_pickle_of_a_class_that_is_not_here_names_the_remedy(tmp_path, dumped, module, told):
    (tmp_path / "m.pkl").write_bytes(dumped(module))
    with pytest.raises(ModelUnloadable, match=told):
        open_artifact(tmp_path / "m.pkl", trust=True)
