"""`up --autoscale`: ranges that are none are refused, and one reaches the workers."""

from pathlib import Path

import pytest
from click.testing import CliRunner

from cli.up.command import up
from stack.programs import Stack


@pytest.mark.parametrize("given", ["8", "8..1", "0..0", "one..two", "1..100000", "1..2..3"])
def test_range_that_is_none_is_refused_before_anything_starts(given: str, tmp_path: Path) -> None:
    answer = CliRunner().invoke(up, ["--autoscale", given, "--home", str(tmp_path / "home")])
    assert answer.exit_code == 2
    assert f"'{given}' is no range such as 1..8" in answer.output
    assert not (tmp_path / "home").exists()


def test_worker_starts_with_the_least_and_is_told_the_range(tmp_path: Path) -> None:
    stack = Stack(tmp_path, "redis://none", 5000, None, 3, autoscale="2..5")
    programs = {program.name: program for program in stack.stages()[0]}
    worker, bulk = programs["worker"], programs["bulk"]
    assert worker.command[-4:] == ("--processes", "2", "--node", "celery")
    assert worker.environment["PREDICTQ_AUTOSCALE"] == "2..5"
    assert bulk.command[-4:] == ("--processes", "3", "--node", "bulk")
