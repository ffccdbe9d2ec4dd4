"""A pytest plugin that collects the tests once, and runs them in a fork for each mutant."""

import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NoReturn

import psutil
import pytest

from benchmarks.mutants.lua import Mutant

WITHIN = 300
"""Seconds for the tests of a mutant; a timeout counts as killed."""


class ForkingLoop:
    """Replaces pytest's loop over the tests by a loop over mutants.

    Imports and collection cost more than most mutants live. The scripts are read by fixtures, so
    a fork sees its own mutant.
    """

    def __init__(
        self, pending: Iterable[tuple[Mutant, Path]], record: Callable[[Mutant, bool], None]
    ) -> None:
        self._pending = pending
        self._record = record

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        """Run all tests without a mutant, then for each pending one, and record what it was."""
        if _is_killed(session):
            raise session.Failed("the tests fail without a mutant")
        for mutant, script in self._pending:
            with _applied(mutant, script):
                self._record(mutant, _is_killed(session))
        return True


@contextmanager
def _applied(mutant: Mutant, script: Path) -> Iterator[None]:
    text = script.read_text()
    script.write_text(mutant.applied(text))
    try:
        yield
    finally:
        script.write_text(text)


def _is_killed(session: pytest.Session) -> bool:
    child = os.fork()
    if not child:
        _run_tests(session)
    process = psutil.Process(child)
    try:
        return bool(process.wait(WITHIN))
    except psutil.TimeoutExpired:
        for one in [*process.children(recursive=True), process]:
            one.kill()
        os.waitpid(child, 0)
        return True


def _run_tests(session: pytest.Session) -> NoReturn:
    """Run the tests until one fails, and end this process with status 0 if none does."""
    silence = os.open(os.devnull, os.O_WRONLY)
    os.dup2(silence, 1)
    os.dup2(silence, 2)
    try:
        for item, following in zip(session.items, [*session.items[1:], None], strict=True):
            item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
            if session.testsfailed:
                break
        # Ends the Redis of a test that failed.
        session.config.hook.pytest_sessionfinish(session=session, exitstatus=0)
    finally:
        os._exit(bool(session.testsfailed))
