"""`predictq models alias`, `unalias`, `rollback` and `history`."""

import json
from collections.abc import Callable

import pytest
from click.testing import Result

Run = Callable[..., Result]


def test_models_alias_rollback_and_history(run: Run, file: str) -> None:
    for version in ("1", "2"):
        run("add", "m", file, "--version", version)
        run("alias", "m", "production", version, "--why", f"reason {version}")
    refused = run("alias", "m", "production", "1", "--expect", "1")
    assert refused.exit_code == 1
    assert "it means m:2, not m:1" in refused.stderr
    assert run("rollback", "m").output == "m@production is m:1, it was m:2\n"
    assert run("rollback", "m").exit_code == 1
    assert run("unalias", "m", "production").output == "deleted m@production, which was m:1\n"
    changes = json.loads(run("history", "m", "--json", "--limit", "3").output)
    assert [(c["act"], c["from"], c["to"]) for c in changes] == [
        ("alias", 1, None),
        ("rollback", 2, 1),
        ("alias", 1, 2),
    ]
    assert changes[-1]["by"]
    assert "m@production moved: 1 to 2" in run("history", "m").output


def test_models_split(run: Run, file: str) -> None:
    for version in ("1", "2"):
        run("add", "m", file, "--version", version)
    run("alias", "m", "production", "1")
    told = run("split", "m", "production", "1=90", "2=10", "--expect", "1").output
    assert told == "m@production is 90 % m:1, 10 % m:2, it was m:1\n"
    assert "production=(1=90,2=10)" in run("list").output
    assert "m@production moved: 1 to 1=90,2=10" in run("history", "m").output
    refused = run("remove", "m:2")
    assert "m@production is 90 % m:1, 10 % m:2" in refused.stderr
    grown = run("split", "m", "production", "1=50", "2=50", "--expect", "1=90,2=10")
    assert grown.output.startswith("m@production is 50 % m:1, 50 % m:2")
    assert run("rollback", "m").output.startswith("m@production is 90 % m:1, 10 % m:2")
    assert "sum to 100, not to 99" in run("split", "m", "production", "1=90", "2=9").stderr
    for wrong in (["1"], ["1=90", "1=10"], ["1=x"], []):
        assert run("split", "m", "production", *wrong).exit_code == 2
    assert run("alias", "m", "production", "1", "--expect", "x").exit_code == 2


@pytest.mark.parametrize("command", ["history", "rollback"])
def test_models_commands_name_an_unknown_model(run: Run, command: str) -> None:
    assert "there is no model 'nothing'" in run(command, "nothing").stderr
