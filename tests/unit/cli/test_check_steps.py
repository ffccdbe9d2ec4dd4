"""`predictq test`: which checks it runs, and what it prints of them."""

import sys
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from cli import test as checks
from cli.up import restart as restarting
from cli.up.restart import restart
from stack.running import RunningStack

HOMES = Path("/homes")
STATIC = ["ruff check", "ruff format", "mypy", "lint-imports"]


def names(*, slow: bool, expression: str | None = None) -> list[str]:
    return [name for name, _ in checks.steps(slow, expression, HOMES)]


def test_check_steps_measure_coverage_with_slow_tests() -> None:
    assert names(slow=False) == [*STATIC, "pytest"]
    assert names(slow=True) == [*STATIC, "pytest", "coverage combine", "coverage"]


def test_check_steps_of_an_expression_are_not_measured() -> None:
    for slow in (False, True):
        *_, (name, command) = checks.steps(slow, "ledger", HOMES)
        assert (name, command[-2:]) == ("pytest", ["-k", "ledger"])
        assert ("not slow" in command) is not slow
        assert "/homes/pytest" in command


def test_check_steps_keep_files_of_tests_in_a_memory_that_is_large_enough(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(checks, "MEMORY", tmp_path)
    for enough, needed in ((True, 0), (False, sys.maxsize)):
        monkeypatch.setattr(checks, "BYTES_FOR_TESTS", needed)
        with checks.directory_for_tests() as directory:
            assert (directory.parent == tmp_path) is enough
        assert not directory.exists()
    monkeypatch.setattr(checks, "MEMORY", tmp_path / "missing")
    with checks.directory_for_tests() as directory:
        assert directory.is_dir()


@pytest.mark.parametrize("fails", ["", "mypy"], ids=["passed", "failed"])
def test_checks_all_run_and_the_worst_decides(monkeypatch: pytest.MonkeyPatch, fails: str) -> None:
    monkeypatch.setattr(
        checks,
        "steps",
        lambda *_: [(name, [sys.executable, "-c", f"exit({name == fails})"]) for name in STATIC],
    )
    ended = CliRunner().invoke(checks.run_checks, [])
    assert ended.exit_code == bool(fails)
    told = {line.split("  ")[1]: line.split()[0] for line in ended.output.splitlines()[-4:]}
    assert told["mypy"] == ("FAILED" if fails else "passed")
    headings = [line for line in ended.output.splitlines() if line.startswith("==")]
    assert sorted(headings) == sorted(f"== {name}" for name in STATIC)
    assert [heading for heading in headings if heading != "== mypy"] == [
        f"== {name}" for name in STATIC if name != "mypy"
    ]


def test_checks_print_what_the_one_beside_the_tests_found(monkeypatch: pytest.MonkeyPatch) -> None:
    found = [sys.executable, "-c", "print('not typed'); exit(1)"]
    later = [sys.executable, "-c", ""]
    monkeypatch.setattr(checks, "steps", lambda *_: [("mypy", found), ("pytest", later)])
    ended = CliRunner().invoke(checks.run_checks, [])
    assert ended.exit_code == 1
    assert "== mypy\nnot typed\n" in ended.output


def test_checks_need_an_environment_for_development(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checks, "find_spec", lambda _: None)
    ended = CliRunner().invoke(checks.run_checks, [])
    assert ended.exit_code
    assert "use ./run test in a clone" in ended.output


class Stacks:
    """The states of a stack, one for each look; signals are remembered."""

    def __init__(self, *states: RunningStack | None) -> None:
        self.states, self.signalled = list(states), list[Any]()

    def look(self, _: Path) -> RunningStack | None:
        return self.states.pop(0) if len(self.states) > 1 else self.states[0]


@pytest.mark.parametrize(
    ("after", "told"),
    [
        (RunningStack(pid=7, url="u", replaced=1), "API and worker were replaced"),
        (RunningStack(pid=7, url="u", replaced=1, stayed=("api",)), "still running: api"),
    ],
    ids=["replaced", "stayed"],
)
def test_restart_waits_until_processes_are_replaced(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, after: RunningStack, told: str
) -> None:
    before = RunningStack(pid=7, url="u")
    stacks = Stacks(before, before, after)
    monkeypatch.setattr(restarting, "running_stack", stacks.look)
    monkeypatch.setattr(restarting, "_is_locked", lambda _: True)
    monkeypatch.setattr(restarting, "RESTART_LOOK_SECONDS", 0.0)
    monkeypatch.setattr("os.kill", lambda *given: stacks.signalled.append(given))
    ended = CliRunner().invoke(restart, ["--home", str(tmp_path)])
    assert told in ended.output
    assert [pid for pid, _ in stacks.signalled] == [7]


def test_restart_needs_a_stack_that_holds_its_lock(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "up.lock").touch()
    stack = RunningStack(pid=7, url="u")
    monkeypatch.setattr(restarting, "running_stack", Stacks(stack).look)
    ended = CliRunner().invoke(restart, ["--home", str(tmp_path)])
    assert ended.exit_code
    assert "no `up` runs" in ended.output
