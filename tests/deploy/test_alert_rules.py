"""The committed rules are those of the source, and promtool finds each firing and silent."""

import json
from pathlib import Path
from typing import Any

import pytest
from deployment import ROOT, run

from tasks.alerts.rules.alert import Alert, all_alerts
from tasks.alerts.rules.prometheus import prometheus_name, prometheus_rules
from tests.unit.tasks.alerts.alert_cases import CASES, Series

RULES = ROOT / "deploy" / "prometheus" / "rules.yml"
CONSOLE = "http://127.0.0.1:5000"


def test_committed_rules_are_those_of_the_source() -> None:
    assert RULES.read_text() == prometheus_rules(CONSOLE), "predictq alerts rules > " + str(RULES)


def one_test(alert: Alert, series: Series, minutes: int, fires: bool) -> dict[str, Any]:
    """A test for promtool: how many alerts fire after so many minutes of these series."""
    firing = f'ALERTS{{alertname="{prometheus_name(alert)}",alertstate="firing"}}'
    expected = [{"labels": "{}", "value": 1}] if fires else []
    return {
        "name": f"{alert.name} {'fires' if fires else 'is silent'}",
        "interval": "1m",
        "input_series": [{"series": s, "values": values} for s, values in series.items()],
        "promql_expr_test": [
            {"expr": f"count({firing})", "eval_time": f"{minutes}m", "exp_samples": expected}
        ],
    }


def every_test() -> list[dict[str, Any]]:
    tests = []
    for name, case in CASES.items():
        alert = all_alerts()[name]
        tests.append(one_test(alert, case.fires, case.minutes, fires=True))
        tests += [one_test(alert, series, case.minutes, fires=False) for series in case.silent]
        if alert.seconds >= 60:  # not yet
            tests.append(one_test(alert, case.fires, 0, fires=False))
    return tests


def checked(tests: list[dict[str, Any]], directory: Path) -> tuple[int, str]:
    file = directory / "tests.yml"
    # JSON is YAML, too.
    file.write_text(
        json.dumps({"rule_files": [str(RULES)], "evaluation_interval": "1m", "tests": tests})
    )
    answer = run("promtool", "test", "rules", file)
    return answer.returncode, answer.stdout + answer.stderr


def test_every_alert_fires_and_is_silent_in_prometheus(tmp_path: Path) -> None:
    code, said = checked(every_test(), tmp_path)
    assert code == 0, said


@pytest.mark.parametrize("fires", [True, False])
def test_promtool_refuses_a_wrong_expectation(fires: bool, tmp_path: Path) -> None:
    alert, case = all_alerts()["no-worker"], CASES["no-worker"]
    series = case.silent[0] if fires else case.fires
    assert checked([one_test(alert, series, case.minutes, fires)], tmp_path)[0] != 0
