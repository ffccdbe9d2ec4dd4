"""Ghosts: what Redis knows of a removed version is deleted, and nothing else."""

import json

import pytest
import redis

from tasks.ledger import ghosts, keys
from tasks.ledger.dead_letters.letters import Filter
from tasks.ledger.ghosts import Ghosts, RemovedGhost
from tasks.timeline.call_sums import CallSums, add_calls
from telemetry.errors import WorkerLost
from tests.integration.ledger.dead_letters.dead_letter_harness import LettersHarness
from tests.integration.ledger.pauses.pause_harness import PauseHarness


@pytest.fixture
def harness(client: redis.Redis) -> PauseHarness:
    return PauseHarness(client)


@pytest.fixture
def ghost_removal(harness: PauseHarness) -> Ghosts:
    return Ghosts(harness.client, harness.settings)


def test_ghost_of_a_paused_version_leaves_nothing(
    harness: PauseHarness, ghost_removal: Ghosts
) -> None:
    harness.open()
    harness.pauses.resume("churn:3")
    ours = [harness.accept() for _ in range(3)]
    other = harness.accept(version=4)
    harness.pauses.pause("churn:3", "a test")
    assert harness.taken() == [other]
    add_calls(harness.client, {"churn:3": CallSums(1)})
    assert ghost_removal.known() == {"churn:3"}

    assert ghost_removal.remove("churn:3") == RemovedGhost(letters=3, parked=3)

    assert not harness.client.keys("predictq:*churn:3*")
    assert not harness.client.exists(keys.PAUSED, keys.ANSWERED, keys.DEAD_LETTERS)
    assert harness.client.hget(keys.DEAD_LETTER_TOTALS, "bytes") == b"0"
    assert ghost_removal.known() == set()
    assert harness.taken() == ours, "and workers say that there is no such version"
    assert ghost_removal.remove("churn:3") == RemovedGhost(0, 0)


def test_ghost_leaves_other_versions_unchanged(client: redis.Redis) -> None:
    """Dead letters of other versions may quote the removed version."""
    harness = LettersHarness(client)
    ghost_removal = Ghosts(client, harness.settings)
    harness.fail("a")
    harness.fail("b", "churn.b")
    harness.fail("c", "x", WorkerLost('it said "model":"churn:3"'))
    harness.bury(json.dumps({"headers": {"id": "d", "batch": "churn:33"}}).encode())

    assert ghost_removal.remove("churn:3").letters == 1

    assert set(harness.ids()) == {"b", "c", "d"}
    assert ghost_removal.known() == {"churn.b:3", "x:3", "churn:33"}


def test_ghost_deletes_dead_letters_in_slices(
    client: redis.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ghosts, "LETTERS_PER_LOOK", 4)
    harness = LettersHarness(client)
    for number in range(23):
        harness.fail(str(number), "churn" if number % 3 else "other")
    client.config_resetstat()

    removed = Ghosts(client, harness.settings).remove("churn:3")

    assert removed.letters == 15
    assert {letter.model for letter in harness.letters.find(Filter())} == {"other:3"}
    calls = client.info("commandstats")
    assert calls["cmdstat_zrange"]["calls"] == 6


def test_ghost_deletion_is_one_round_trip(harness: PauseHarness, ghost_removal: Ghosts) -> None:
    harness.open()
    ghost_removal.remove("churn:9")
    harness.client.config_resetstat()
    ghost_removal.remove("churn:3")
    calls = harness.client.info("commandstats")
    assert calls["cmdstat_evalsha"]["calls"] == 1
