"""The example of `docs/runtimes.md`, installed as a package, adds its format."""

import json
import sys
import tomllib

import numpy as np
import pandas as pd
import pytest

from registry.store import Registry
from telemetry.errors import ModelUnloadable
from tests.docs.documents import ROOT, blocks
from workers.gate.comparing import differences
from workers.models.artifacts import load_artifact
from workers.models.formats import installed
from workers.models.formats.all_formats import runtime_name
from workers.models.registration import examine

ROWS = pd.DataFrame({"a": [1.0, 2.0], "b": [3.0, 5.0]})
MODEL = {"linear": {"names": ["a", "b"], "weights": [2, 1], "intercept": 0.5}}


@pytest.fixture
def install(tmp_path, monkeypatch):
    """Installs a module with entry points, as pip would."""

    def write(text, points):
        site = tmp_path / "site"
        information = site / "linear_runtime-1.0.dist-info"
        information.mkdir(parents=True)
        (site / "linear_runtime.py").write_text(text)
        (information / "METADATA").write_text(
            "Metadata-Version: 2.1\nName: linear-runtime\nVersion: 1.0\n"
        )
        lines = "\n".join(f"{name} = {value}" for name, value in points.items())
        (information / "entry_points.txt").write_text(f"[{installed.GROUP}]\n{lines}\n")
        monkeypatch.syspath_prepend(str(site))

    installed.installed_formats.cache_clear()
    yield write
    installed.installed_formats.cache_clear()
    sys.modules.pop("linear_runtime", None)


def documented():
    """The module and the entry points of the example."""
    project, module = blocks(ROOT / "docs" / "runtimes.md")
    points = tomllib.loads(project.text)["project"]["entry-points"][installed.GROUP]
    return module.text, points


def test_runtime_of_a_package_is_served_like_any_other(tmp_path, install):
    install(*documented())
    path = tmp_path / "model"
    path.write_text(json.dumps(MODEL, separators=(",", ":")))
    found = examine(path, sample=ROWS)
    assert differences(found.model, found.description.signature, found.inspected.own_answers) == []
    manifest = Registry(tmp_path).add("m", found.description, found.content)
    assert (manifest.format, runtime_name(manifest)) == ("linear", "linear-runtime 1.0")
    again = load_artifact(Registry(tmp_path).artifact(manifest), manifest).estimator
    assert np.array_equal(again.predict(ROWS), [5.5, 9.5])
    installed.installed_formats.cache_clear()
    sys.path.remove(str(tmp_path / "site"))
    with pytest.raises(ModelUnloadable, match="has no format 'linear', and no installed package"):
        load_artifact(Registry(tmp_path).artifact(manifest), manifest)


@pytest.mark.parametrize("text", ["import absent_module", "raise SystemError", "LINEAR = 1"])
def test_runtime_that_is_broken_is_logged_and_left_out(install, caplog, text):
    install(text, {"linear": "linear_runtime:LINEAR"})
    assert installed.installed_formats() == ()
    assert [record.runtime for record in caplog.records] == ["linear"]


def test_example_is_about_thirty_lines():
    text, _ = documented()
    assert len([line for line in text.splitlines() if line.strip()]) < 35
