"""`predictq models deploy` and `predictq deployments`, on a registry without a stack."""

import json
from collections.abc import Callable
from pathlib import Path

import joblib
import pytest
from click.testing import CliRunner, Result
from sklearn.linear_model import LinearRegression

from cli.main import main

Run = Callable[..., Result]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Run a command of `predictq`; the registry has the model ``m``."""
    runner = CliRunner(env={"PREDICTQ_HOME": str(tmp_path / "home")})
    joblib.dump(LinearRegression().fit([[0.0], [1.0]], [0.0, 1.0]), tmp_path / "m.joblib")
    added = runner.invoke(main, ["models", "add", "m", str(tmp_path / "m.joblib"), "--trust"])
    assert added.exit_code == 0, added.output
    return lambda *arguments: runner.invoke(main, arguments)


def test_deployment_is_made_scaled_stopped_started_and_deleted(run: Run) -> None:
    made = run("models", "deploy", "m:1", "--concurrency", "2", "--memory-limit", "2GiB")
    assert made.output == "m@production is m:1, 2 processes of its own\n"
    shown = json.loads(run("deployments", "show", "m").output)
    assert (shown["concurrency"], shown["memory_limit"]) == (2, 2 * 2**30)
    scaled = run("deployments", "scale", "m", "--concurrency", "1", "--why", "quiet")
    assert scaled.output == "m@production is to have 1 process of its own\n"
    assert "requests are refused" in run("deployments", "stop", "m").output
    assert "started m@production" in run("deployments", "start", "m").output
    assert "deleted the deployment of m@production" in run("deployments", "delete", "m").output
    assert run("deployments", "show", "m").exit_code


@pytest.mark.parametrize("form", ["compose", "systemd", "kubernetes"])
def test_deployment_is_printed_as_a_document(run: Run, form: str) -> None:
    run("models", "deploy", "m", "--environment", "staging")
    printed = run("deployments", "show", "m@staging", "--as", form)
    assert printed.exit_code == 0, printed.output
    assert "staging" in printed.output


@pytest.mark.parametrize(
    ("given", "told"),
    [
        (("models", "deploy", "m@production"), "name a version, as m:3, not an alias"),
        (("models", "deploy", "m", "--memory-limit", "much"), "is no number of bytes"),
        (("deployments", "scale", "m:1"), "a deployment is m@production, for instance"),
        (("deployments", "stop", "m@staging"), "staging"),
    ],
)
def test_bad_input_of_deployments_is_refused(run: Run, given: tuple[str, ...], told: str) -> None:
    refused = run(*given)
    assert refused.exit_code
    assert told in refused.output
