"""A worker that cannot read the registry makes no dead letters of valid messages."""

import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path

import pytest

from registry.store import RECHECK_INTERVAL
from tests.support.models import Doubling, register
from tests.support.stack import LiveStack, running, until

pytestmark = pytest.mark.slow

AWAY = 5.0
"""Seconds; attempts at what only a process does would be over by then."""


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveStack]:
    home = tmp_path_factory.mktemp("blind")
    register(home, "doubling", Doubling(), [[1.0, 0.0]])
    with running(home, processes=1, forks=True) as stack:
        assert stack.predict("doubling", [1.0, 0.0]) == [2.0]
        yield stack


@contextmanager
def not_mounted(home: Path) -> Iterator[None]:
    """The registry's volume is not mounted inside the context: its directory is empty."""
    models = home / "models"
    aside = models.rename(home / "aside")
    models.mkdir()
    try:
        outlast_registry_cache()
        yield
    finally:
        models.rmdir()
        aside.rename(models)


@contextmanager
def unreadable(home: Path) -> Iterator[None]:
    """The system refuses access to the registry inside the context, to root as well."""
    generation = home / "models" / ".generation"
    aside = generation.rename(generation.with_suffix(".aside"))
    generation.symlink_to(generation.name)
    try:
        outlast_registry_cache()
        yield
    finally:
        aside.rename(generation)


def outlast_registry_cache() -> None:
    """Wait until the worker's cached look at the registry is out of date."""
    since = time.monotonic()
    until(lambda: time.monotonic() - since > RECHECK_INTERVAL, "another look is due")


def dead_letters(stack: LiveStack) -> int:
    return len(stack.http.get("/dead-letters").json()["dead_letters"])


def test_unreadable_registry_of_a_worker_is_left_to_the_pool(live: LiveStack) -> None:
    worker = live.pid("worker")
    with ExitStack() as frozen:
        frozen.enter_context(live.frozen("worker"))
        task_id = live.submit("doubling", [3.0, 0.0])["id"]
        with unreadable(live.home):
            frozen.close()
            away = time.monotonic()
            until(lambda: live.status(task_id) == "retrying", "another try is announced")
            until(lambda: time.monotonic() - away > AWAY, "it is away for long")
    assert live.outcome(task_id)["predictions"] == [6.0]
    assert (live.pid("worker"), dead_letters(live)) == (worker, 0)


@pytest.mark.parametrize("away", [unreadable, not_mounted])
def test_unreadable_registry_of_a_pool_process_is_retried(
    live: LiveStack, away: Callable[[Path], AbstractContextManager[None]]
) -> None:
    with ExitStack() as frozen:
        frozen.enter_context(live.frozen_pool())
        task_id = live.submit("doubling", [4.0, 0.0])["id"]
        until(lambda: live.http.get("/stats").json()["reserved"], "it is taken")
        with away(live.home):
            frozen.close()
            until(lambda: live.status(task_id) == "retrying", "another try is announced")
    outcome = live.outcome(task_id)
    assert outcome["predictions"] == [8.0]
    assert outcome["receipt"]["attempt"] > 1
    assert dead_letters(live) == 0


def test_unreadable_registry_leaves_messages_to_other_workers(
    live: LiveStack, tmp_path: Path
) -> None:
    seeing = live._running["worker"]
    live.start("worker", PREDICTQ_HOME=str(tmp_path))
    try:
        until(lambda: len(live.http.get("/stats").json()["workers"]) == 2, "both take messages")
        ids = [live.submit("doubling", [5.0, 0.0])["id"] for _ in range(200)]
        outcomes = [live.outcome(task_id) for task_id in ids]
    finally:
        live.stop("worker")
        live._running["worker"] = seeing
    assert [outcome["status"] for outcome in outcomes] == ["succeeded"] * len(ids)
    again = [outcome for outcome in outcomes if outcome["receipt"]["attempt"] > 1]
    assert len(again) < 20, "it takes one now and then"
