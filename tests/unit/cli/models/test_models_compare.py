"""`predictq models compare`, and its plots."""

import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
from click.testing import CliRunner

from cli.models.commands import models
from cli.models.rollouts import compare as module
from cli.models.rollouts.plots import as_svg, as_text

VERSION = {"answered": 60, "failed": 1, "errors": 1, "calls": 9, "p50_ms": 1.25, "p95_ms": None}
FOUND = {
    "versions": [VERSION | {"version": 1}, VERSION | {"version": 2}],
    "verdict": {
        "decision": "inconclusive",
        "why": "errors 1 of 60",
        "missing": ["40 more predictions"],
        "measures": [{"name": "errors", "decisive": 200.0}],
    },
    "agreement": {
        "version": 3,
        "disagreed": 2,
        "rows": 1200,
        "verdict": {"decision": "agrees"},
    },
    "path": [[0, 1.0], [30, 0.8], [60, 3.5]],
}


def test_models_compare_prints_the_verdict_and_draws_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    monkeypatch.setattr(module, "ask", lambda url, method, path: asked.append(path) or FOUND)
    picture = tmp_path / "plot.svg"
    options = ["--url", "http://127.0.0.1:1", "--svg", str(picture), "--version", "2"]
    result = CliRunner().invoke(models, ["compare", "m", *options])
    assert result.exit_code == 0, result.output
    lines = result.output.splitlines()
    assert lines[1].split() == ["1", "60", "1", "1", "9", "1.25", "ms", "-"]
    assert "verdict: inconclusive: errors 1 of 60" in lines
    assert "missing: 40 more predictions" in lines
    assert "shadow 3: agrees, 2 of 1,200 rows differ" in lines
    assert lines[-1].strip() == "60 predictions, evidence 3.5"
    assert asked == ["models/m/comparison?alias=production&version=2"]
    ET.fromstring(picture.read_text())


def test_plot_as_text_has_its_points_and_the_bound() -> None:
    told, *drawn, _, last = as_text([[0, 1.0], [100, 200.0], [200, 1e-9]], 200.0)
    assert told == "evidence of harm, decisive at 200"
    assert "-*-" in drawn[0]
    assert drawn[-1].endswith("*")
    assert last == " 200 predictions, evidence 1e-09"


@pytest.mark.parametrize("path", [[], [[0, 1.0]], [[0, 0.0], [5, 1e300]]])
def test_plots_draw_any_path(path) -> None:
    assert "polyline" in as_svg(path, 200.0)
    if path:
        assert len({len(line) <= 61 for line in as_text(path, 200.0)}) == 1
