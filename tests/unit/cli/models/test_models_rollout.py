"""`predictq models rollout`, on a registry without a stack: no controller makes a step."""

import json
from collections.abc import Callable

import pytest
from click.testing import Result

Run = Callable[..., Result]


@pytest.fixture
def two_versions(run: Run, file: str) -> None:
    for version in ("1", "2"):
        run("add", "m", file, "--version", version)
    run("alias", "m", "production", "1")


@pytest.mark.usefixtures("two_versions")
def test_models_rollout_starts_pauses_and_aborts(run: Run) -> None:
    started = run("rollout", "m", "2", "--steps", "20,100", "--every", "2h", "--why", "better")
    assert started.output == "rollout 1 of m:2 is running: m@production is m:1\n"
    shown = json.loads(run("rollout", "m", "--json").output)[0]
    assert (shown["steps"], shown["every_seconds"], shown["why"]) == ([20, 100], 7200, "better")
    assert "rollout 1 of m:2 is paused" in run("rollout", "m", "pause").output
    assert "rollout 1 of m:2 is running" in run("rollout", "m", "resume").output
    assert "rollout 1 of m:2 is aborted" in run("rollout", "m", "abort", "--why", "no").output
    assert "0/2" in run("rollout", "m").output
    assert "m:2 rollout" in run("history", "m").output


@pytest.mark.usefixtures("two_versions")
@pytest.mark.parametrize(
    ("given", "told"),
    [
        (("pause",), "there is no rollout of m@production now"),
        (("two",), "'two' is neither a version"),
        (("2", "--every", "10"), "'10' is no duration, such as 30s, 10m, 2h or 1d"),
        (("2", "--steps", "10;100"), "'10;100' are no percents, such as 10,50,100"),
        (("2", "--steps", "10"), "the last one is 100"),
        (("1",), "m@production means m:1 already"),
    ],
)
def test_models_rollout_refuses_bad_input(run: Run, given: tuple[str, ...], told: str) -> None:
    refused = run("rollout", "m", *given)
    assert refused.exit_code
    assert told in refused.stderr
