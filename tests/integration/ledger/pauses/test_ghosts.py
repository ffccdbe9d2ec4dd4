"""What Redis knows of a version is forgotten once the version is removed, and nothing else is."""

import json

import pytest
import redis

from tasks.ledger import keys
from tasks.ledger.dead_letters.letters import Filter
from tasks.ledger.pauses import ghosts
from tasks.ledger.pauses.ghosts import Ghosts, Laid
from telemetry.errors import WorkerLost
from tests.integration.ledger.dead_letters.dead_letter_harness import LettersRoom
from tests.integration.ledger.pauses.pause_harness import PausingRoom


@pytest.fixture
def room(client: redis.Redis) -> PausingRoom:
    return PausingRoom(client)


@pytest.fixture
def laying(room: PausingRoom) -> Ghosts:
    return Ghosts(room.client, room.settings)


def test_a_version_that_is_paused_leaves_nothing(room: PausingRoom, laying: Ghosts) -> None:
    room.open()
    room.pauses.resume("churn:3")
    ours = [room.accept() for _ in range(3)]
    other = room.accept(version=4)
    room.pauses.pause("churn:3", "a test")
    assert room.taken() == [other]
    assert laying.known() == {"churn:3"}

    assert laying.lay("churn:3") == Laid(letters=3, parked=3)

    assert not room.client.keys("predictq:*churn:3*")
    assert not room.client.exists(keys.PAUSED, keys.ANSWERED, keys.DEAD_LETTERS)
    assert room.client.hget(keys.DEAD_LETTER_TOTALS, "bytes") == b"0"
    assert laying.known() == set()
    assert room.taken() == ours, "and workers say that there is no such version"
    assert laying.lay("churn:3") == Laid(0, 0)


def test_others_keep_what_they_have(client: redis.Redis) -> None:
    """Those too whose letters quote the version that goes."""
    room = LettersRoom(client)
    laying = Ghosts(client, room.settings)
    room.fail("a")
    room.fail("b", "churn.b")
    room.fail("c", "x", WorkerLost('it said "model":"churn:3"'))
    room.put_aside(json.dumps({"headers": {"id": "d", "batch": "churn:33"}}).encode())

    assert laying.lay("churn:3").letters == 1

    assert set(room.ids()) == {"b", "c", "d"}
    assert laying.known() == {"churn.b:3", "x:3", "churn:33"}


def test_many_letters_go_in_slices(client: redis.Redis, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ghosts, "LETTERS_PER_LOOK", 4)
    room = LettersRoom(client)
    for number in range(23):
        room.fail(str(number), "churn" if number % 3 else "other")
    client.config_resetstat()

    laid = Ghosts(client, room.settings).lay("churn:3")

    assert laid.letters == 15
    assert {letter.model for letter in room.letters.find(Filter())} == {"other:3"}
    calls = client.info("commandstats")
    assert calls["cmdstat_zrange"]["calls"] == 6


def test_it_is_one_round_trip(room: PausingRoom, laying: Ghosts) -> None:
    room.open()
    laying.lay("churn:9")
    room.client.config_resetstat()
    laying.lay("churn:3")
    calls = room.client.info("commandstats")
    assert calls["cmdstat_evalsha"]["calls"] == 1
