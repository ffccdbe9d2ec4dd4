"""The `predictq models` commands against a real registry."""

import json
import os
import pty
import subprocess
import sys

import joblib
import pytest
from click.testing import CliRunner

from cli.models.commands import models
from cli.models.demo import register_demos
from registry.changes import Changes
from registry.readiness import Readiness
from registry.store import Registry
from stack.process import ROOT
from tasks.settings import Settings


def test_models_add_takes_time_limits(run, file: str) -> None:
    added = run("add", "m", file, "--max-queue-seconds", "60", "--timeout-seconds", "2.5")
    assert added.exit_code == 0, added.output
    shown = json.loads(run("show", "m", "--json").output)
    assert (shown["max_queue_seconds"], shown["timeout_seconds"]) == (60, 2.5)
    assert "2.5 s" in run("show", "m").output


@pytest.mark.parametrize("option", ["--max-queue-seconds", "--timeout-seconds"])
@pytest.mark.parametrize("seconds", ["0", "-1", "1e9", "soon"])
def test_models_add_refuses_invalid_time_limits(run, file: str, option: str, seconds: str) -> None:
    assert run("add", "m", file, option, seconds).exit_code == 2


def test_models_add_refuses_a_timeout_below_the_least(run, file: str) -> None:
    refused = run("add", "m", file, "--timeout-seconds", "0.04")
    assert refused.exit_code == 2
    assert "0.04 is not in the range 0.05<=x<=300" in refused.output


def test_models_that_were_refused_are_removed_by_name(run, file, tmp_path) -> None:
    assert run("add", "m", file).exit_code == 0
    registry = Registry(tmp_path / "home")
    registry.set_state(registry.named("m"), Readiness("refused", "row 3 differs"))
    assert run("remove", "m", "--force").output == "removed m:1\n"


def test_models_add_list_show_alias_keep_and_remove(run, file):
    added = run("add", "flower", file, "--metadata", "accuracy=0.9", "--alias", "production")
    assert added.exit_code == 0, added.output
    assert added.output.startswith("registered flower:1, alias production (sha256 ")
    assert run("add", "flower", file, "--version", "5").output.startswith("registered flower:5 ")
    assert run("add", "flower", file).output.startswith("registered flower:6 ")
    listed = run("list").output.splitlines()
    assert listed[1].split() == ["flower", "6", "1,5,6", "production=1", "LogisticRegression"]
    assert json.loads(run("list", "--json").output) == [
        {"name": "flower", "versions": [1, 5, 6], "latest": 6, "aliases": {"production": 1}}
    ]
    assert "metadata accuracy" in run("show", "flower:1").output
    assert json.loads(run("show", "flower@production", "--json").output)["version"] == 1
    assert run("alias", "flower", "staging", "5").output == "flower@staging is flower:5\n"
    assert run("keep-latest", "flower", "1").output == "kept flower: 1, 5, 6\n"
    refused = run("remove", "flower:1")
    assert refused.exit_code == 1
    assert refused.stderr == (
        "error: what would be removed is in use: flower@production is flower:1; "
        "to remove flower:1 all the same, give --force\n"
    )
    assert run("remove", "flower:1", "--force").output == (
        "removed flower:1\nremoved alias flower@production, which pointed there\n"
    )
    assert run("keep-latest", "flower", "2").output == "kept flower: 5, 6\n"
    assert run("remove", "flower:6").exit_code == 0
    assert json.loads(run("show", "flower", "--json").output)["version"] == 5


def test_models_remove_names_all_aliases(run, file):
    for alias in ("production", "canary"):
        assert run("add", "m", file, "--alias", alias).exit_code == 0
    refused = run("remove", "m")
    assert "m@canary is m:2, m@production is m:1; to remove m all the same" in refused.stderr
    assert run("keep-latest", "m", "1").output == "kept m: 1, 2\n"
    assert run("remove", "m", "--force").exit_code == 0
    assert run("remove", "m").stderr == "error: there is no model 'm'; there are no models\n"


@pytest.mark.parametrize(("typed", "code"), [("n\n", 1), ("\n", 1), ("y\n", 0)])
def test_models_remove_asks_at_a_terminal(run, file, tmp_path, monkeypatch, typed, code):
    assert run("add", "m", file, "--alias", "production").exit_code == 0
    ours, theirs = pty.openpty()
    home = {**os.environ, "PREDICTQ_HOME": str(tmp_path / "home")}
    os.write(ours, typed.encode())
    with os.fdopen(theirs) as terminal:
        done = subprocess.run(
            [sys.executable, "-m", "cli.main", "models", "remove", "m"],
            cwd=ROOT,
            env=home,
            stdin=terminal,
            capture_output=True,
            text=True,
            check=False,
        )
    os.close(ours)
    assert done.returncode == code
    assert "m@production is m:1. Remove m all the same? [y/N]" in done.stderr
    assert bool(Registry(tmp_path / "home").models()) == bool(code)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["show", "nope"], "there is no model 'nope'; there are no models"),
        (["show", "a/b"], "model must be 'name', 'name@alias' or 'name:version'"),
        (["add", "m", "missing.pkl"], "missing.pkl cannot be read: No such file"),
        (["add", "m", "BAD"], "its content is none of python, "),
        (["add", "a b", "FILE"], "'a b' cannot be a model's name"),
        (["add", "m", "FILE", "--metadata", "x"], "metadata must be KEY=VALUE, not 'x'"),
        (["add", "m", "FILE", "--example", "FILE"], "is not JSON"),
        (["add", "m", "FILE", "--example", "missing.json"], "No such file"),
        (
            ["add", "m", "FILE", "--example", "BAD"],
            "the sample has 1; leave only the model's in it",
        ),
        (["add", "m", "JOBLIB"], "--trust"),
        (["remove", "m@production"], "name the version to remove"),
        (["keep-latest", "m", "1"], "there is no model 'm'"),
        (["alias", "m", "production", "1"], "there is no model 'm'"),
    ],
)
def test_models_errors_are_one_line_and_exit_code_1(run, tmp_path, file, model, arguments, message):
    joblib.dump(model, tmp_path / "m.joblib")
    (tmp_path / "bad.json").write_text("[1]")
    files = {"FILE": file, "JOBLIB": tmp_path / "m.joblib", "BAD": tmp_path / "bad.json"}
    result = run(*(str(files.get(argument, argument)) for argument in arguments))
    assert result.exit_code == 1
    assert result.stderr.startswith("error: ")
    assert message in result.stderr
    assert result.stderr.count("\n") == 1


def test_models_home_can_be_an_option(tmp_path, file):
    home = str(tmp_path / "other")
    assert CliRunner().invoke(models, ["add", "m", file, "--home", home]).exit_code == 0
    assert Registry(tmp_path / "other").models() == ["m"]


def test_models_add_takes_a_trusted_joblib_file(run, tmp_path, model):
    joblib.dump(model, tmp_path / "m.joblib")
    result = run("add", "m", str(tmp_path / "m.joblib"), "--trust")
    assert result.exit_code == 0, result.output


def test_models_add_examples_may_contain_nan(run, tmp_path, file):
    (tmp_path / "rows.json").write_text("[[NaN, 1, 2, 3]]")
    result = run("add", "m", file, "--example", str(tmp_path / "rows.json"))
    assert "the model refuses the sample" in result.stderr


def test_demo_models_are_registered_once(tmp_path):
    register_demos(tmp_path)
    registry = Registry(tmp_path)
    assert registry.models() == ["breast-cancer", "diabetes", "iris"]
    iris = registry.resolve("iris@production").manifest
    assert iris.signature.columns[0].name == "sepal length (cm)"
    assert (iris.signature.named, iris.signature.frame, iris.trusted) == (True, False, False)
    for name in registry.models():
        manifest = registry.resolve(name).manifest
        golden = registry.golden_rows(manifest)
        assert golden
        assert len(golden.rows) == {"iris": 30}.get(name, 64)
        assert registry.readiness(manifest).call_ms.keys() == {"1", "64", "1000"}
    Changes(registry).remove("iris")
    register_demos(tmp_path)
    assert registry.models() == ["breast-cancer", "diabetes"]


def test_home_with_a_tilde_is_the_user_s_directory(tmp_path, file, monkeypatch):
    arguments, environment = ["add", "m", file], {"HOME": str(tmp_path), "PREDICTQ_HOME": "~/p"}
    assert CliRunner(env=environment).invoke(models, arguments).exit_code == 0
    assert Registry(tmp_path / "p").models() == ["m"]
    assert CliRunner(env={"HOME": str(tmp_path)}).invoke(models, arguments).exit_code == 0
    assert Registry(tmp_path / ".predictq").models() == ["m"]
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("PREDICTQ_HOME", "~/p")
    assert Settings.from_environment().home == tmp_path / "p"
