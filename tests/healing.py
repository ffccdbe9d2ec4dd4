"""Ends a stack that tests share once one of them may have broken it; the next test gets a new one.

So a test that leaves its stack broken fails alone, and its second try begins with a whole stack.
`tests/conftest.py` registers these hooks.
"""

import warnings
from collections.abc import Generator, Iterator
from typing import Any, Protocol, runtime_checkable

import pytest

Fixture = pytest.FixtureDef[Any]
_suspects: set[Fixture] = set()
"""Fixtures whose stack a test had that failed."""


@runtime_checkable
class Breakable(Protocol):
    """A stack, or another value of a fixture that consists of processes."""

    def is_whole(self) -> bool:
        """Whether all processes run that it consists of."""
        ...


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Suspect the stacks of a test that failed."""
    report = yield
    if report.failed:
        _suspects.update(fixture for fixture, _ in _shared(item))
    return report


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """End the broken stacks that the test would get; its setup starts them again."""
    for fixture, stack in [*_shared(item)]:
        if fixture in _suspects or not stack.is_whole():
            _end(fixture, item)


def _shared(item: pytest.Item) -> Iterator[tuple[Fixture, Breakable]]:
    """The stacks of a test that other tests have too, each with its fixture."""
    assert isinstance(item, pytest.Function)
    for definitions in item._fixtureinfo.name2fixturedefs.values():
        fixture = definitions[-1]
        stack = fixture.cached_result[0] if fixture.cached_result else None
        if fixture.scope != "function" and isinstance(stack, Breakable):
            yield fixture, stack


def _end(fixture: Fixture, item: pytest.Item) -> None:
    assert isinstance(item, pytest.Function)
    _suspects.discard(fixture)
    try:
        fixture.finish(item._request)
    except Exception as error:  # noqa: BLE001 - of a broken stack; what is left of it was killed
        warnings.warn(f"{fixture.argname} was broken and ended so: {error!r}", stacklevel=1)
