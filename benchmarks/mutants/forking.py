"""A pytest plugin that collects the tests once, and runs some of them in a fork for each mutant."""

import os
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import NoReturn
from unittest import mock

import msgspec
import psutil
import pytest

from benchmarks.mutants.lua import Mutant
from benchmarks.mutants.reach import Reach, noted
from tasks.ledger import scripts

SLOWER = 4
"""How many times as long as without a mutant a test may take, which then counts as failed."""
GRACE = 10.0
"""Seconds beside that, for the start of Redis and for other programs."""


class ForkingLoop:
    """Replaces pytest's loop over the tests by a loop over mutants.

    Imports and collection cost more than most mutants live. A mutant is only in the memory of its
    fork, so forks run side by side, each with a Redis of its own.
    """

    def __init__(
        self, pending: Iterable[Mutant], told: Callable[[Mutant, bool], None], processes: int
    ) -> None:
        self._pending, self._told, self._processes = pending, told, processes
        self._running: dict[psutil.Process, tuple[Mutant, float]] = {}

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        """Run all tests without a mutant, then those that reach a mutant, for each."""
        reach = _survey(session)
        for mutant in self._pending:
            tests = reach.tests(mutant.script)
            patience = sum(_patience(reach, test) for test in tests)
            child = _forked(session, partial(_try, session, mutant, tests, reach))
            self._running[child] = mutant, time.monotonic() + patience
            self._wait(self._processes - 1)
        self._wait(0)
        return True

    def _wait(self, most: int) -> None:
        """Wait until no more than ``most`` mutants are being tried."""
        while len(self._running) > most:
            ended, alive = psutil.wait_procs(list(self._running), timeout=0.2)
            for process in ended:
                mutant, _ = self._running.pop(process)
                self._told(mutant, not process.returncode)
            for process in alive:
                if time.monotonic() > self._running[process][1]:
                    _kill(process)


def _patience(reach: Reach, test: str) -> float:
    return GRACE + SLOWER * reach.seconds[test]


def _survey(session: pytest.Session) -> Reach:
    """Run all tests without a mutant; raises if one fails."""
    with tempfile.NamedTemporaryFile() as file:
        child = _forked(session, partial(_run_noting, session, Path(file.name)))
        if child.wait():
            raise session.Failed("the tests fail without a mutant")
        return msgspec.json.decode(file.read(), type=Reach)


def _run_noting(session: pytest.Session, into: Path) -> bool:
    reach = Reach()
    seen: set[str] = set()
    started = time.monotonic()
    with noted(seen):
        for test in _passed(session.items):
            reach.seconds[test] = time.monotonic() - started
            reach.scripts[test] = seen.copy()
            seen.clear()
            started = time.monotonic()
    into.write_bytes(msgspec.json.encode(reach))
    return not session.testsfailed


def _try(session: pytest.Session, mutant: Mutant, tests: list[str], reach: Reach) -> bool:
    """Whether the tests pass although a script is changed."""
    text = scripts.script_text
    by_id = {item.nodeid: item for item in session.items}
    items = [by_id[test] for test in tests]
    for item in items:
        item.add_marker(pytest.mark.timeout(_patience(reach, item.nodeid)), append=False)

    def mutated(name: str) -> str:
        return mutant.applied(text(name)) if name == mutant.script else text(name)

    with mock.patch.object(scripts, "script_text", mutated):
        return len(list(_passed(items))) == len(items)


def _passed(items: list[pytest.Item]) -> Iterator[str]:
    """Run tests until one fails, and yield the ids of those that pass."""
    for item, following in zip(items, [*items[1:], None], strict=True):
        item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
        if item.session.testsfailed:
            return
        yield item.nodeid


def _forked(session: pytest.Session, run: Callable[[], bool]) -> psutil.Process:
    """A silent child process that ends with status 0 if ``run`` returns true."""
    child = os.fork()
    if not child:
        session.config.pluginmanager.unregister(name="terminalreporter")
        _end_with(run)
    return psutil.Process(child)


def _end_with(run: Callable[[], bool]) -> NoReturn:
    silence = os.open(os.devnull, os.O_WRONLY)
    os.dup2(silence, 1)
    os.dup2(silence, 2)
    passed = False
    try:
        passed = run()
    finally:
        for process in psutil.Process().children():  # the Redis of a test that failed
            process.kill()
        os._exit(not passed)


def _kill(process: psutil.Process) -> None:
    for one in [*process.children(recursive=True), process]:
        one.kill()
