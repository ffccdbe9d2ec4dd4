"""A version whose loading hangs does not delay other versions."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from kombu.asynchronous import Hub

from registry.store import RECHECK_INTERVAL, Registry
from tests.support.models import Doubling, register
from tests.support.slow_models import Heavy
from tests.support.stack import until
from workers.pool.listener import Listener
from workers.pool.load_retry import LoadRetry
from workers.pool.pool import Pool

pytestmark = pytest.mark.slow

LIMIT = 5.0
"""Seconds; imports count as well."""


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home with a good version and one whose loading hangs."""
    obstacle = tmp_path / "obstacle"
    register(tmp_path, "doubling", Doubling(), [[1.0, 0.0]])
    register(tmp_path, "heavy", Heavy(str(obstacle)), [[1.0, 0.0]])
    obstacle.touch()
    monkeypatch.setenv("PREDICTQ_HOME", str(tmp_path))  # for the fork server
    monkeypatch.setattr("workers.pool.fork_server_client.MAX_RUN_SECONDS", LIMIT)
    return tmp_path


@pytest.fixture
def hung() -> list[str]:
    """The versions of which the pool said that their loading hangs."""
    return []


@pytest.fixture
def pool(home: Path, hung: list[str]) -> Iterator[Pool]:
    listener = Listener(lambda: None, lambda: None, on_hang=hung.append)
    pool = Pool(LoadRetry(Registry(home, RECHECK_INTERVAL)), 1, "predict", listener)
    yield pool
    pool.stop()


def test_hanging_load_is_ended_and_its_version_paused(
    pool: Pool, hung: list[str], home: Path
) -> None:
    hub = Hub()
    pool.listen(hub)

    def turns(condition: Callable[[], object]) -> Callable[[], object]:
        def turn() -> object:
            hub.run_once()
            pool.maintain()
            return condition()

        return turn

    until(turns(lambda: pool.processes.pids), "a process that computes", 90)
    assert [*pool.processes.held] == ["doubling:1"]
    assert hung == ["heavy:1"]

    assert pool.idle("heavy:1") is None, "no process tries it"
    until(turns(lambda: len(hung) == 2), "another try, which hangs, too", 90)
    assert pool.idle("doubling:1")

    (home / "obstacle").unlink()
    until(turns(lambda: pool.idle("heavy:1")), "a process that was born with it", 90)
    assert hung == ["heavy:1"] * 2
