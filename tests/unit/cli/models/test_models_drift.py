"""`predictq models drift`, and its plots."""

import json
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from cli.models.commands import models
from cli.models.drift import drift as module
from cli.models.drift.plots import feature_svg, feature_text

BUCKETS = [
    {"label": "missing", "sample": 0.0, "found": 0.25},
    {"label": "≤ 40", "sample": 0.5, "found": 0.75},
    {"label": "< & >", "sample": 0.5, "found": 0.0},
]
STEADY = {"kind": "column", "drifted": False, "psi": 0.01, "bound": 0.1, "missing": 0.0}
STEADY |= {"strange": 0.0, "distance": None, "buckets": BUCKETS, "psi_by_hour": [0.01]}
DRIFTED = STEADY | {"drifted": True, "psi": 0.5, "distance": 0.25, "missing": 0.25}
FOUND = {"model": "m", "version": 2, "status": "drifted", "why": "age (0.50)", "rows": 1200}
FOUND |= {"sample_rows": 1000, "hours": []}
FOUND |= {"features": [DRIFTED | {"name": "age"}, STEADY | {"name": "town"}]}


class Shown:
    """Runs the command with an answer of the API."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.asked: list[str] = []
        self.answer = FOUND
        monkeypatch.setattr(module, "ask", self._answered)

    def _answered(self, url: str, method: str, path: str) -> object:
        self.asked.append(path)
        return self.answer

    def __call__(self, *options: str) -> Result:
        result = CliRunner().invoke(models, ["drift", "m", "--url", "http://127.0.0.1:1", *options])
        assert result.exit_code in (0, 2), result.output
        return result


@pytest.fixture
def shown(monkeypatch: pytest.MonkeyPatch) -> Shown:
    return Shown(monkeypatch)


def test_models_drift_prints_features_and_plots_what_drifted(shown: Shown, tmp_path: Path) -> None:
    picture = tmp_path / "plot.svg"
    lines = shown("--version", "2", "--hours", "1", "--svg", str(picture)).output.splitlines()
    assert lines[:2] == ["m:2 drifted: age (0.50)", "1,200 rows beside 1,000 of the sample"]
    assert lines[3].split() == [
        *("age", "column", "0.500", "0.100", "0.25", "25.0%", "0.0%", "drifted")
    ]
    assert lines[4].split() == ["town", "column", "0.010", "0.100", "-", "0.0%", "0.0%"]
    assert "age: PSI 0.500, bound 0.100" in lines
    assert not any(line.startswith("town:") for line in lines)
    assert shown.asked == ["models/m/drift?hours=1&version=2"]
    ET.fromstring(picture.read_text())


def test_models_drift_plots_the_feature_that_is_named(shown: Shown) -> None:
    assert "town: PSI 0.010" in shown("--feature", "town").output
    assert "there is no feature 'size'" in shown("--feature", "size").output
    assert json.loads(shown("--json").output) == FOUND


def test_models_drift_says_what_is_missing(shown: Shown) -> None:
    shown.answer = FOUND | {"status": "no_sample", "why": "give one", "features": []}
    assert shown().output.splitlines()[0] == "m:2 no sample: give one"


def test_plot_of_a_feature_has_both_shares() -> None:
    lines = feature_text(DRIFTED | {"name": "age"})
    assert [line.split("|")[1] for line in lines[1:5]] == [
        *(" 0.0%", "############# 25.0%", "--------------------------- 50.0%"),
        "#" * 40 + " 75.0%",
    ]
    assert "&lt; &amp; &gt;" in feature_svg([DRIFTED | {"name": "age"}])
    ET.fromstring(feature_svg([]))
