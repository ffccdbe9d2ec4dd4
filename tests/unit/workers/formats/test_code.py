"""Python functions and classes as models: kept with the version, and apart from other versions."""

import hashlib
import sys
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType

import numpy as np
import pandas as pd
import pytest

from registry.store import Registry
from telemetry.errors import ArtifactMissing, Invalid, ModelUnloadable, UntrustedArtifact
from workers.gate.comparing import differences
from workers.models.artifacts import load_artifact, open_artifact
from workers.models.formats import unpacking
from workers.models.formats.all_formats import runtime_name
from workers.models.formats.code.modules import VersionModules
from workers.models.formats.code.packing import CodeReference, code_reference, packed_code
from workers.models.registration import examine

SAMPLE = pd.DataFrame({"a": [1.5, 2.5, 0.5], "b": [1, 2, 3]})
FUNCTION = "def score(rows):\n    return rows['a'] * {factor} + rows['b']\n"
CLASS = """
import numpy as np

class Rules:
    made = []
    classes_ = np.array(["no", "yes"])
    def __init__(self):
        self.made.append(self)
    def predict(self, rows):
        return self.classes_[(rows["a"] > 1).astype(int)]
    def predict_proba(self, rows):
        return np.column_stack([1 - rows["a"] / 10, rows["a"] / 10])
    def predict_count(self, rows):
        return [len(self.made)] * len(rows)
"""


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    """A cache of its own, and the current directory of the code."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    (tmp_path / "code").mkdir()
    monkeypatch.chdir(tmp_path / "code")
    return tmp_path / "cache" / "predictq" / "code"


def registered(home, reference, sample=SAMPLE):
    found = examine(Path(reference), trust=True, sample=sample)
    assert differences(found.model, found.description.signature, found.inspected.own_answers) == []
    manifest = Registry(home).add("m", found.description, found.content)
    return load_artifact(Registry(home).artifact(manifest), manifest).estimator, manifest


@pytest.mark.parametrize("reference", ["rules.py:score", "rules:score"], ids=["file", "module"])
def test_code_of_a_function_is_kept_and_answers(tmp_path, reference):
    Path("rules.py").write_text(FUNCTION.format(factor=2))
    model, manifest = registered(tmp_path, reference)
    Path("rules.py").unlink()
    model = load_artifact(Registry(tmp_path).artifact(manifest), manifest).estimator
    assert model.predict(SAMPLE).tolist() == [4.0, 7.0, 4.0]
    assert (manifest.format, manifest.estimator) == ("python", "rules.score")
    assert manifest.signature.methods == ("predict",)
    assert [column.name for column in manifest.signature.columns] == ["a", "b"]
    assert manifest.declared == {"code": reference}
    assert runtime_name(manifest).startswith("Python 3.")


def test_code_of_a_class_is_made_once_for_each_load(tmp_path):
    Path("rules.py").write_text(CLASS)
    model, manifest = registered(tmp_path, "rules.py:Rules")
    assert manifest.signature.methods == ("predict", "predict_proba", "predict_count")
    assert manifest.signature.classes == ("no", "yes")
    assert model.predict(SAMPLE).tolist() == ["yes", "yes", "no"]
    assert model.predict_count(SAMPLE) == [1, 1, 1]


def test_code_of_two_versions_with_one_module_name_stays_apart(tmp_path):
    models = []
    for factor in (2, 3):
        package = Path("shop")
        package.mkdir(exist_ok=True)
        (package / "__init__.py").write_text("")
        (package / "factor.py").write_text(f"FACTOR = {factor}\n")
        (package / "rules.py").write_text(
            "def score(rows):\n    from shop.factor import FACTOR\n    return rows['a'] * FACTOR\n"
        )
        models.append(registered(tmp_path, "shop.rules:score")[0])
    for _ in range(2):
        answers = [model.predict(SAMPLE).tolist() for model in models]
        assert answers == [[3.0, 5.0, 1.0], [4.5, 7.5, 1.5]]
    assert not any(name.partition(".")[0] == "shop" for name in sys.modules)
    assert not any("code" in path for path in sys.path if str(tmp_path) in path)


def test_code_that_imports_in_a_call_gets_no_module_of_the_environment(tmp_path, monkeypatch):
    Path("shop").mkdir()
    Path("shop/__init__.py").write_text("")
    Path("shop/factor.py").write_text("FACTOR = 2\n")
    Path("shop/rules.py").write_text(
        "def score(rows):\n"
        "    if len(rows) < 3:\n        return rows['a']\n"
        "    from shop.factor import FACTOR\n    return rows['a'] * FACTOR\n"
    )
    modules = VersionModules(Path.cwd())
    score = modules.found("shop.rules").score
    theirs = ModuleType("shop.factor")
    theirs.FACTOR = 100
    monkeypatch.setitem(sys.modules, "shop", ModuleType("shop"))
    monkeypatch.setitem(sys.modules, "shop.factor", theirs)
    with modules.imported():
        assert score(SAMPLE).tolist() == [3.0, 5.0, 1.0]
    assert sys.modules["shop.factor"] is theirs


@pytest.mark.parametrize(
    "change",
    [
        "sys.path.remove(str(Path(__file__).parent))",
        "sys.path.insert(0, str(Path(__file__).parent))",
    ],
    ids=["removes", "adds"],
)
def test_code_that_changes_the_search_path_leaves_no_directory_or_module(monkeypatch, change):
    Path("rules.py").write_text(f"import sys\nfrom pathlib import Path\n{change}\n")
    monkeypatch.setattr(sys, "path", [*sys.path])
    before = [*sys.path]
    VersionModules(Path.cwd()).found("rules")
    assert sys.path == before
    assert "rules" not in sys.modules


def test_code_of_a_package_reads_the_files_beside_it(tmp_path):
    Path("shop").mkdir()
    Path("shop/factor.txt").write_text("4")
    Path("shop/__pycache__").mkdir()
    Path("shop/__pycache__/x.pyc").write_bytes(b"")
    Path("shop/__init__.py").write_text(
        "from pathlib import Path\n"
        "FACTOR = float(Path(__file__).with_name('factor.txt').read_text())\n"
        "def score(rows):\n    return rows['a'] * FACTOR\n"
    )
    model, _ = registered(tmp_path, "shop:score")
    assert model.predict(SAMPLE).tolist() == [6.0, 10.0, 2.0]


def test_code_in_the_cache_that_was_changed_is_written_again(tmp_path, cache):
    Path("rules.py").write_text(FUNCTION.format(factor=2))
    _, manifest = registered(tmp_path, "rules.py:score")
    (kept,) = cache.iterdir()
    assert [path.name for path in kept.iterdir()] == ["rules.py"]
    (kept / "rules.py").write_text(FUNCTION.format(factor=9))
    (kept / "sitecustomize.py").write_text("")
    model = load_artifact(Registry(tmp_path).artifact(manifest), manifest).estimator
    assert model.predict(SAMPLE).tolist() == [4.0, 7.0, 4.0]
    assert [path.name for path in kept.iterdir()] == ["rules.py"]
    assert [*cache.iterdir()] == [kept]


def test_code_that_another_process_wrote_meanwhile_is_not_deleted(cache, monkeypatch):
    files = {"rules.py": b"x = 1"}
    kept = unpacking.on_disk(files)
    (kept / "rules.py").unlink()
    written = []

    @contextmanager
    def after_another(path):
        (kept / "rules.py").write_bytes(files["rules.py"])
        written.append((kept / "rules.py").stat().st_ino)
        yield

    monkeypatch.setattr(unpacking, "locked", after_another)
    assert unpacking.on_disk(files) == kept
    assert [(kept / "rules.py").stat().st_ino] == written


def test_code_without_a_cache_directory_is_loaded_from_a_temporary_one(tmp_path, monkeypatch):
    def absent(name):
        raise FileNotFoundError(name)

    monkeypatch.setattr(unpacking, "user_cache", absent)
    monkeypatch.setattr(unpacking.tempfile, "tempdir", str(tmp_path))
    Path("rules.py").write_text(FUNCTION.format(factor=2))
    model, _ = registered(tmp_path, "rules.py:score")
    assert model.predict(SAMPLE).tolist() == [4.0, 7.0, 4.0]


def test_code_gives_the_same_artifact_again():
    Path("rules.py").write_text(FUNCTION.format(factor=2))
    reference = code_reference("rules.py:score")
    one = packed_code(reference)
    Path("rules.py").touch()
    assert hashlib.sha256(packed_code(reference)).digest() == hashlib.sha256(one).digest()
    assert code_reference("rules.py") is None
    assert code_reference("shop.rules:score") == CodeReference("shop.rules", "score")


def test_code_without_trust_runs_nothing(tmp_path):
    Path("rules.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w')\n" + FUNCTION)
    for reference in ("rules.py:score", "rules:score"):
        with pytest.raises(UntrustedArtifact, match="loading a python file runs the code in it"):
            open_artifact(Path(reference), trust=False)
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize(
    ("text", "reference", "told"),
    [
        ("x = 1", "rules.py:score", "the module rules has no 'score'"),
        ("score = 1", "rules.py:score", "score is a int, but must be a function or a model"),
        ("import absent_module", "rules.py:score", "needs the module 'absent_module'"),
        ("def score(rows", "rules.py:score", "SyntaxError"),
        ("raise SystemExit(3)", "rules.py:score", "SystemExit: 3"),
        ("def score(rows):\n    return [1]", "rules.py:score", "gave 1 predictions for 3 rows"),
        ("def score(rows):\n    return rows['z']", "rules.py:score", "refuses the sample"),
        ("", "my-rules.py:score", "its name must be one of a module"),
    ],
    ids=lambda each: each.splitlines()[0][:24] if each else "empty",
)
def test_code_that_cannot_be_served_is_refused(text, reference, told):
    Path(reference.partition(":")[0]).write_text(text)
    with pytest.raises(ModelUnloadable, match=told):
        examine(Path(reference), trust=True, sample=SAMPLE)
    assert "rules" not in sys.modules


@pytest.mark.parametrize("reference", ["absent.py:score", "absent:score", "sys:exit", "../x:y"])
def test_code_that_is_absent_is_told(reference):
    with pytest.raises(ArtifactMissing, match="cannot be read|there is no module"):
        open_artifact(Path(reference), trust=True)


def test_code_needs_a_sample():
    Path("rules.py").write_text(FUNCTION.format(factor=2))
    with pytest.raises(Invalid, match="does not tell its columns; give a --sample"):
        examine(Path("rules.py:score"), trust=True)


def test_code_of_an_array_gets_an_array(tmp_path):
    Path("rules.py").write_text("def score(rows):\n    return rows[:, 0] + rows[:, 1]\n")
    model, manifest = registered(tmp_path, "rules.py:score", sample=pd.DataFrame([[1.0, 2.0]] * 3))
    assert model.predict(np.ones((2, 2))).tolist() == [2.0, 2.0]
    assert not manifest.signature.frame
