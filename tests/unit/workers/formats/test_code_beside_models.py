"""Models whose classes are in packages of their users: kept with the version, and kept apart."""

import pickle
import sys
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from msgspec.structs import replace

from registry.manifest import Manifest
from registry.store import Registry
from telemetry.errors import ArtifactMissing, ModelUnloadable, UntrustedArtifact
from workers.gate.comparing import differences
from workers.models.engine import SklearnEngine
from workers.models.formats.code.code_files import code_files
from workers.models.formats.code.modules import VersionModules
from workers.models.registration import examine

SAMPLE = pd.DataFrame({"a": [1.5, 2.5, 0.5]})
CLASS = """
import numpy as np

class Scaled:
    n_features_in_ = 1

    def predict(self, rows):
        from ownshop.factor import FACTOR
        return np.asarray(rows)[:, 0] * FACTOR
"""


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    """A cache of its own, and a current directory without code."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)


def package(where: Path, factor: int = 2) -> Path:
    """A package whose class imports another of its modules during a call."""
    found = where / "ownshop"
    found.mkdir(parents=True, exist_ok=True)
    (found / "__init__.py").write_text("")
    (found / "factor.py").write_text(f"FACTOR = {factor}\n")
    (found / "models.py").write_text(CLASS)
    return found


def pickled(code: Path) -> Path:
    """A pickle of the class in a package."""
    modules = VersionModules(code.parent)
    scaled = modules.found(f"{code.name}.models").Scaled()
    with modules.imported():
        Path("model.pkl").write_bytes(pickle.dumps(scaled))
    return Path("model.pkl")


def registered(home: Path, code: Path, model: Path) -> Manifest:
    found = examine(model, trust=True, sample=SAMPLE, code=code)
    with found.imported():
        assert (
            differences(found.model, found.description.signature, found.inspected.own_answers) == []
        )
    return Registry(home).add("scaled", found.description, found.content)


def test_code_beside_a_pickle_is_imported_apart_for_each_version(tmp_path):
    first, second = package(tmp_path / "one"), package(tmp_path / "two", factor=3)
    model = pickled(first)
    versions = [registered(tmp_path, code, model) for code in (first, second)]
    engine = SklearnEngine(Registry(tmp_path))
    for _ in range(2):
        answers = [engine.answer(m, "predict", SAMPLE).output.tolist() for m in versions]
        assert answers == [[3.0, 5.0, 1.0], [4.5, 7.5, 1.5]]
    assert versions[0].sha256 != versions[1].sha256
    assert versions[0].format == "pickle"
    assert versions[0].declared["code beside the model"] == str(first)
    assert not any(name.partition(".")[0] == "ownshop" for name in sys.modules)


def test_code_beside_a_model_has_one_hash_and_takes_a_wheel(tmp_path):
    code = package(tmp_path / "one")
    model, wheel = pickled(code), tmp_path / "ownshop-1.0-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        for path in sorted(code.iterdir()):
            if path.is_file():
                archive.write(path, f"ownshop/{path.name}")
    found = [examine(model, trust=True, sample=SAMPLE, code=each) for each in (code, wheel, code)]
    assert len({each.description.sha256 for each in found}) == 1


def test_code_beside_a_model_needs_trust(tmp_path):
    code = package(tmp_path / "one")
    model = pickled(code)
    with pytest.raises(UntrustedArtifact):
        examine(model, sample=SAMPLE, code=code)
    manifest = registered(tmp_path, code, model)
    with pytest.raises(UntrustedArtifact):
        SklearnEngine(Registry(tmp_path)).hold(replace(manifest, trusted=False))


def test_code_beside_a_skops_file_needs_trust_as_it_runs(tmp_path):
    from sklearn.linear_model import LinearRegression

    from workers.models.artifacts import open_artifact, save

    code = package(tmp_path / "one")
    save(LinearRegression().fit(np.eye(2), [1, 2]), tmp_path / "model.skops")
    with pytest.raises(UntrustedArtifact, match="code beside the model"):
        open_artifact(tmp_path / "model.skops", trust=False, code=code)


def test_code_that_is_missing_is_refused_with_the_option_that_gives_it(tmp_path):
    model = pickled(package(tmp_path / "one"))
    with pytest.raises(ModelUnloadable, match=r"'ownshop'.*--code"):
        examine(model, trust=True, sample=SAMPLE)


def test_code_files_of_a_directory_are_its_modules(tmp_path):
    package(tmp_path / "src")
    (tmp_path / "src" / "rules.py").write_text("")
    assert {"rules.py", "ownshop/__init__.py"} <= code_files(tmp_path / "src").keys()
    assert code_files(tmp_path / "src" / "rules.py") == {"rules.py": b""}


def test_code_files_refuse_what_cannot_be_imported(tmp_path):
    (tmp_path / "notes.txt").write_text("")
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "rows.csv").write_text("")
    with zipfile.ZipFile(tmp_path / "native.whl", "w") as archive:
        archive.writestr("fast/__init__.py", "")
        archive.writestr("fast/loop.so", "")
    for name, reason in {
        "notes.txt": "is not code",
        "data": "no module",
        "native.whl": "--requirements",
    }.items():
        with pytest.raises(ModelUnloadable, match=reason):
            code_files(tmp_path / name)
    with pytest.raises(ArtifactMissing):
        code_files(tmp_path / "absent")
