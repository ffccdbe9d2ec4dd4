"""`predictq doctor` against a stack that runs."""

import json
from collections.abc import Iterator

import pytest
from click.testing import CliRunner

from cli.main import main
from tests.support.stack import Json, LiveStack

NOT_HERE = {"canaries", "disk", "inodes", "load", "open files", "redis version", "threads"}
"""Checks whose level is a matter of the machine, and canaries, which this stack does not send."""


@pytest.fixture
def announced(stack: LiveStack) -> Iterator[LiveStack]:
    """The shared stack, with the files by which commands find it."""
    stack.parts.write()
    yield stack
    stack.parts.erase()


def test_checklist_of_a_running_stack(announced: LiveStack) -> None:
    told = CliRunner().invoke(main, ["doctor", "--home", str(announced.home), "--json"])
    found: Json = {each["check"]: each for each in json.loads(told.output)["findings"]}
    levels = {name: each["level"] for name, each in found.items() if name not in NOT_HERE}
    assert levels.pop("workers") == "warn"  # this stack has none for batch jobs
    assert levels.pop("watch") == "warn"  # nor a watch
    assert levels.pop("backup") == "warn"  # nor a backup
    assert levels.pop("dead letters") in ("pass", "warn")  # of other tests
    assert levels.pop("alerts") in ("pass", "warn", "fail")
    assert levels.pop("paused versions") in ("pass", "warn", "fail")
    assert set(levels.values()) == {"pass"}, found
    assert {"redis log", "queue", "address of API", "predictions"} <= levels.keys()
    assert "breast-cancer:1" in found["predictions"]["message"]
    assert " of iris:1: " in found["load"]["message"]
