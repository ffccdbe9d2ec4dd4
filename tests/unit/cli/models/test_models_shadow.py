"""`predictq models shadow`: set, shown and stopped."""

import json
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from cli.models.commands import models
from cli.models.rollouts import shadow as module

VERDICT = {"decision": "differs", "limit": 0.01, "for_it": 0.1, "against_it": 250.0}
FOUND = {"model": "m", "version": 2, "alias": "production", "rate": 5.0, "rows": 200}
FOUND |= {"disagreed": 50, "failed": 3, "dropped": 1, "verdict": VERDICT}
FOUND |= {"path": [[10, 1.0], [200, 0.1]]}
EXAMPLE = {"row": [1.5], "method": "predict", "stable": "no", "shadow": "yes"}


def test_models_shadow_sets_shows_and_stops(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[Any, ...]] = []

    def answered(url: str, method: str, path: str, body: Any = None) -> object:
        asked.append((method, path.partition("&")[0], body))
        return {"examples": [EXAMPLE]} if "examples" in path else FOUND

    def run(*words: str) -> str:
        given = ["shadow", "m", *words, "--url", "http://127.0.0.1:1"]
        return CliRunner().invoke(models, given).output

    monkeypatch.setattr(module, "ask", answered)
    picture = tmp_path / "plot.svg"
    lines = run("2", "--rate", "5", "--examples", "--svg", str(picture)).splitlines()
    assert lines[:2] == [
        "m:2 is a shadow of m@production: 5 % of its predictions",
        "200 rows compared, 75.00% agree, 3 failed, 1 copies dropped",
    ]
    assert lines[2].startswith("verdict: differs: evidence of agreement 0.1 of 20")
    assert lines[-2:] == [" 200 rows, evidence 0.1", "no / yes  [1.5]"]
    assert "evidence of agreement" in picture.read_text()
    ET.fromstring(picture.read_text())
    assert json.loads(run("--json")) == FOUND | {"examples": []}
    assert "m:2 was a shadow" in run("stop")
    assert "'two' is neither a version" in run("two")
    where = "models/m/shadow"
    assert [each[:2] for each in asked] == [
        ("PUT", where),
        ("GET", f"{where}/examples?alias=production"),
        ("GET", f"{where}?alias=production"),
        ("DELETE", f"{where}?alias=production"),
    ]
    assert asked[0][2]["rate"] == 5.0
