"""ReportFigures are computed of minutes, and shown as a page, as JSON and as CSV."""

import csv
import json
import re
from xml.etree import ElementTree as ET

import pytest
from click.testing import CliRunner

from api.drift.states import DriftState
from cli.main import main
from cli.report.charts import ChartLine, chart, nice
from cli.report.exporting import as_csv, as_json_text
from cli.report.figures import ReportFigures, figures
from cli.report.page import change_text, report_page
from tasks.ledger.statistics import BUCKETS, bucket
from tasks.timeline.call_sums import CallSums
from tasks.timeline.minute import HostMinute, Minute, VersionMinute

NOW, HOUR = 1_796_100_000.0, 3600.0
HOSTILE = "<script>alert(1)</script>:2"


def minute(at: float, version: str = "churn:3", count: int = 60, slow: int = 0) -> Minute:
    histogram = {bucket(0.02): count - slow} | ({bucket(1.0): slow} if slow else {})
    half = count // 2  # of the calls have 3 rows, the others 5
    calls = CallSums(half, count, half * 4, count * 5000, half * 2000, half * 17, half * 8500)
    done = VersionMinute({"succeeded": count - 6, "failed": 6}, count * 2, 1.0, histogram, calls)
    host = HostMinute(4, 0.25, 2, 10**9, 10**8, 0.5)
    return Minute(at, 60.0, count, {version: done}, host)


@pytest.fixture
def hour() -> ReportFigures:
    """Two hours of minutes, of which the second is twice as busy."""
    minutes = [minute(NOW - 60 * ago, count=60) for ago in range(119, 59, -1)]
    minutes += [minute(NOW - 60 * ago, count=120, slow=3) for ago in range(59, 0, -1)]
    minutes.append(minute(NOW, HOSTILE))
    drift = DriftState(
        model=HOSTILE[:-2],
        version=2,
        status="drifted",
        why="<b>age</b>",
        rows=1000,
        sample_rows=100,
        features=(),
        hours=(),
    )
    return figures(minutes, NOW - HOUR, NOW, [drift])


def test_a_period_is_summed_up_beside_the_one_before(hour: ReportFigures) -> None:
    assert hour.recorded_seconds == HOUR
    assert (hour.now.predictions, hour.before.predictions) == (59 * 120 + 60, 60 * 60)
    assert hour.now.per_second == pytest.approx(7140 / HOUR)
    assert hour.before.failed_share == pytest.approx(0.1)
    churn = hour.versions[0]
    assert churn.version == "churn:3"
    assert churn.now.p50 == BUCKETS[bucket(0.02)]
    assert churn.now.p99 == BUCKETS[bucket(1.0)]
    assert churn.before.p99 == BUCKETS[bucket(0.02)]
    assert churn.now.queue_seconds == pytest.approx(0.005)
    assert churn.now.model_seconds == pytest.approx(0.002)
    assert (churn.now.batch_size, churn.now.requests_per_call) == (4.0, 2.0)
    assert churn.now.call_seconds == pytest.approx(0.0)
    assert churn.now.row_seconds == pytest.approx(0.0005)
    assert [each.version for each in hour.versions] == ["churn:3", HOSTILE]
    assert len(hour.steps) == 60
    assert hour.steps[0].accepted_per_second == 2.0
    assert not any("recorded" in told for told in hour.missing)


def test_what_is_not_recorded_is_told() -> None:
    found = figures([minute(NOW)], NOW - HOUR, NOW)
    assert found.missing[:2] == [
        "only 2% of the period is recorded",
        "nothing is recorded of the period before",
    ]
    assert found.before.p50 is None


def test_page_is_whole_and_shows_no_markup_of_callers(hour: ReportFigures) -> None:
    text = report_page(hour, "/home/<i>")
    assert "<script" not in text
    assert "<b>" not in text
    assert "<i>" not in text
    assert "&lt;script&gt;alert(1)&lt;/script&gt;:2" in text
    assert not re.search(r"(src|href)=|url\(|@import", text)
    assert text.count("<figure>") == text.count('role="img"') == 8
    assert "+98%" in text


def test_page_without_a_past(hour: ReportFigures) -> None:
    empty = VersionMinute({"cancelled": 1}, 0, 0.0, {}, CallSums())
    host = HostMinute(0, 0.0, 0, 0, 0, 0.0)
    text = report_page(
        figures([Minute(NOW, 60.0, 0, {"a:1": empty}, host)], NOW - HOUR, NOW), "home"
    )
    assert text.count("Nothing was counted.") == 3  # latencies, times, batch sizes


def test_lines_have_gaps() -> None:
    values = [1.0, 2.0, None, 4.0, 5.0]
    drawn = chart("a < b", [0, 60, 120, 180, 900], [ChartLine("x", values)], str)
    svg = ET.fromstring(drawn)
    (path,) = [each.get("d") for each in svg.iter() if each.get("class") == "line l0"]
    assert path is not None
    assert re.sub(r"[^MLh]", "", path) == "MhLMhMh"


@pytest.mark.parametrize(
    ("highest", "axis"), [(0, 1), (0.003, 0.004), (1, 1), (9, 10), (41, 80), (8000, 8000)]
)
def test_axes_end_at_round_numbers(highest: float, axis: float) -> None:
    assert nice(highest) == pytest.approx(axis)


def test_changes_are_told_in_percent() -> None:
    assert (change_text(3, 2), change_text(1, 2), change_text(2, 2)) == (
        "+50%",
        "\N{MINUS SIGN}50%",
        "±0%",
    )
    assert change_text(None, 2) == change_text(2, None) == change_text(2, 0) == ""


def test_exports_have_the_same_figures(hour: ReportFigures) -> None:
    told = json.loads(as_json_text(hour))
    lines = list(csv.DictReader(as_csv(hour).splitlines()))
    assert told["now"]["predictions"] == int(lines[0]["predictions"]) == hour.now.predictions
    assert [line["version"] for line in lines if line["of"] == "version"] == ["churn:3", HOSTILE]
    assert sum(line["of"] == "step" for line in lines) == len(told["steps"]) == 60


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("report", "-o", "report.html"), "no stack runs on"),
        (("metrics", "export", "--since", "30s"), "from 1m to 72h"),
    ],
)
def test_commands_refuse(arguments: tuple[str, ...], told: str, tmp_path: object) -> None:
    done = CliRunner().invoke(main, [*arguments, "--home", str(tmp_path)])
    assert done.exit_code
    assert told in done.output
