"""Load retry: a version is loaded again after growing pauses, or once it is registered anew."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from registry.changes import Changes
from registry.store import RECHECK_INTERVAL, Registry
from tasks.time_limits import OUTAGE
from tests.support.models import described
from tests.support.stack import until
from tests.unit.clock import Clock
from workers.pool import load_retry
from workers.pool.load_retry import MAX_PAUSE, LoadRetry


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(load_retry, "time", clock)
    return clock


@pytest.fixture
def registry(tmp_path: Path) -> Registry:
    registry = Registry(tmp_path)
    registry.add("m", described(b"m"), b"m")
    return registry


@pytest.fixture
def noted(registry: Registry, tmp_path: Path, clock: Clock) -> LoadRetry:
    return LoadRetry(Registry(tmp_path, RECHECK_INTERVAL))


def test_delays_of_load_retries_double_up_to_a_bound(noted: LoadRetry, clock: Clock) -> None:
    assert not noted.has("m:1")
    pauses = []
    for _ in range(10):
        noted.note("m:1", "broken")
        since = clock.now
        while noted.has("m:1"):
            clock.now += 1
        pauses.append(clock.now - since)
    assert pauses == [min(OUTAGE * 2**n, MAX_PAUSE) for n in range(10)]
    assert not noted.deadly


def test_successful_load_resets_the_delays(noted: LoadRetry, clock: Clock) -> None:
    for _ in range(5):
        noted.note("m:1", "broken")
    noted.forget("m:1")
    assert not noted.has("m:1")
    noted.note("m:1", "broken")
    clock.now += OUTAGE
    assert not noted.has("m:1")


def test_version_that_ended_the_fork_server_is_not_tried_again(
    noted: LoadRetry, clock: Clock
) -> None:
    noted.note_deadly("m:1")
    clock.now += 1e9
    assert noted.has("m:1")
    assert noted.deadly == {"m:1"}


@pytest.mark.parametrize("note", [partial(LoadRetry.note, reason="broken"), LoadRetry.note_deadly])
def test_replaced_version_is_tried_at_once(
    noted: LoadRetry, registry: Registry, note: Callable[[LoadRetry, str], None]
) -> None:
    note(noted, "m:1")
    assert noted.has("m:1")
    made = registry.resolve("m:1").manifest.created_at
    while registry.resolve("m:1").manifest.created_at == made:
        Changes(registry).remove("m", 1)
        registry.add("m", described(b"m", trusted=True), b"m", version=1)
    until(lambda: not noted.has("m:1"), "another look at the registry")


def test_load_is_retried_after_a_short_outage(noted: LoadRetry, tmp_path: Path) -> None:
    aside = (tmp_path / "models").rename(tmp_path / "aside")
    noted.note("m:1", "broken")
    assert noted.has("m:1")
    aside.rename(tmp_path / "models")
    until(lambda: not noted.has("m:1"), "another look at the registry")


def test_operator_has_a_version_loaded_at_once_unless_its_load_is_deadly(noted: LoadRetry) -> None:
    noted.note("m:1", "broken")
    assert noted.reason("m:1") == "broken"
    noted.forgive("m:1")
    assert not noted.has("m:1")
    noted.note_deadly("m:1")
    noted.forgive("m:1")
    assert noted.has("m:1")
    noted.forgive("never:1")
