"""API keys in a real Redis, and how a process of the API knows them."""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import redis

from api.callers import known_keys as module
from api.callers.known_keys import KnownKeys
from api.callers.static_keys import StaticKeys
from tasks.callers.caller import Caller
from tasks.callers.tokens import make_token
from tasks.ledger import keys
from tasks.ledger.api_keys.api_key import ApiKey, encode_key
from tasks.ledger.api_keys.key_store import ENDED_KEY_SECONDS, KeyStore
from tasks.ledger.api_keys.new_key import NewKey
from tasks.ledger.predictions.pipeline import Pipeline
from telemetry.errors import (
    Forbidden,
    Invalid,
    KeyConflict,
    KeyExpired,
    KeyInvalid,
    KeyNotFound,
    KeyRevoked,
)

NEW = NewKey(name="billing", scopes=("predict",), tenant="risk", rate="100/s", weight=2)


@pytest.fixture
def store(client: redis.Redis) -> Iterator[KeyStore]:
    client.delete(keys.API_KEYS, keys.API_KEYS_USED)
    return KeyStore(client)


class Counting(Pipeline):
    """Counts round trips."""

    trips = 0

    async def ask(self, *command: Any) -> Any:
        self.trips += 1
        return await super().ask(*command)


class Process:
    """What a process of the API knows."""

    def __init__(self, client: redis.Redis, home: Path) -> None:
        self.rounds = Counting(client)
        self.known = KnownKeys(StaticKeys(home, None), self.rounds)

    def caller(self, token: str, address: str = "10.1.2.3") -> Caller | None:
        async def ask() -> Caller | None:
            found = await self.known.caller(f"Bearer {token}".encode(), address)
            await asyncio.gather(*asyncio.all_tasks() - {asyncio.current_task()})
            return found

        return asyncio.run(ask())


@pytest.fixture
def process(client: redis.Redis, tmp_path: Path) -> Process:
    return Process(client, tmp_path)


def test_key_is_stored_as_a_hash_and_tells_its_caller(
    store: KeyStore, process: Process, client: redis.Redis
) -> None:
    key, token = store.create(NEW.key())
    assert token[17:].encode() not in client.hget(keys.API_KEYS, key.id)
    found = process.caller(token)
    assert found
    assert (found.key, found.name, found.tenant) == (key.id, "billing", "risk")
    assert found.scopes == {"predict"}
    assert str(found.limits.rate) == "100/s"
    assert found.flow == f"{key.id}:2"
    assert set(store.last_uses()) == {key.id}


def test_key_that_is_known_costs_no_round_trip_and_its_use_is_noted_once(
    store: KeyStore, process: Process
) -> None:
    _, token = store.create(NEW.key())
    for _ in range(5):
        process.caller(token)
    assert process.rounds.trips == 2  # one reads the key, one notes its use


def test_junk_costs_no_round_trip_and_unknown_ids_few(
    store: KeyStore, process: Process, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "SECOND_LOOKS", 2)
    monkeypatch.setattr("api.limits.per_second.monotonic", lambda: 7.0)
    unknown, _ = make_token()
    altered = "y" if unknown[-9] == "x" else "x"
    for token in ("junk", unknown[:-1] + "-", unknown[:-9] + altered + unknown[-8:]):
        with pytest.raises(KeyInvalid):
            process.caller(token)
    assert process.rounds.trips == 0
    for _ in range(5):
        with pytest.raises(KeyInvalid):
            process.caller(unknown)
    assert process.rounds.trips == 1 + 2


def test_ids_that_are_remembered_are_bounded(
    store: KeyStore, process: Process, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MAX_KNOWN", 3)
    for _ in range(10):
        with pytest.raises(KeyInvalid):
            process.caller(make_token()[0])
    assert len(process.known._known) == 3


def test_revoked_key_ends_once_it_is_read_again(
    store: KeyStore, process: Process, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, token = store.create(NEW.key())
    assert process.caller(token)
    first = store.revoke("billing").revoked_at
    assert process.caller(token)  # known for some seconds
    assert module.FRESH_SECONDS < 5
    monkeypatch.setattr(module, "FRESH_SECONDS", 0)
    with pytest.raises(KeyRevoked):
        process.caller(token)
    assert store.revoke("billing").revoked_at == first
    with pytest.raises(Invalid, match="revoked"):
        store.rotate("billing", 10)


def test_key_expires(store: KeyStore, process: Process) -> None:
    wanted = NewKey(name="short", scopes=("predict",), expires_seconds=1e-6)
    _, token = store.create(wanted.key())
    with pytest.raises(KeyExpired):
        process.caller(token)


def test_rotated_key_has_two_secrets_until_the_overlap_ends(
    store: KeyStore, process: Process, monkeypatch: pytest.MonkeyPatch
) -> None:
    key, first = store.create(NEW.key())
    assert process.caller(first)
    rotated, second = store.rotate("billing", 3600)
    assert rotated.id == key.id
    assert process.caller(first) == process.caller(second)
    _, third = store.rotate(key.id, 0)
    assert process.caller(third)
    monkeypatch.setattr(module, "FRESH_SECONDS", 0)
    for over in (first, second):
        with pytest.raises(KeyInvalid):
            process.caller(over)


@pytest.mark.parametrize(
    ("address", "may"),
    [
        *(("10.1.2.3", True), ("::1", True), ("11.0.0.1", False), ("", False)),
        *(("::ffff:10.1.2.3", True), ("::ffff:11.0.0.1", False)),
    ],
)
def test_key_is_bound_to_its_networks(
    store: KeyStore, process: Process, address: str, may: bool
) -> None:
    wanted = NewKey(name="near", scopes=("predict",), networks=("10.0.0.0/8", "::1"))
    _, token = store.create(wanted.key())
    if may:
        assert process.caller(token, address)
        return
    with pytest.raises(Forbidden, match="may not be used from"):
        process.caller(token, address)


def test_name_is_that_of_one_active_key(store: KeyStore) -> None:
    first, _ = store.create(NEW.key())
    with pytest.raises(KeyConflict):
        store.create(NEW.key())
    store.revoke("billing")
    second, _ = store.create(NEW.key())
    assert store.get("billing") == second
    assert store.get(first.id).revoked_at
    with pytest.raises(KeyNotFound):
        store.get("nobody")


def test_of_two_keys_of_one_name_that_are_made_at_once_one_is_refused(
    store: KeyStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    def encode(key: ApiKey) -> bytes:  # what exists was read already
        monkeypatch.undo()
        store.create(NEW.key())
        return encode_key(key)

    monkeypatch.setattr("tasks.ledger.api_keys.key_store.encode_key", encode)
    with pytest.raises(KeyConflict):
        store.create(NEW.key())
    assert len(store.all()) == 1


def test_key_that_ended_long_ago_is_forgotten(
    store: KeyStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.create(NEW.key())
    store.revoke("billing")
    monkeypatch.setattr("tasks.ledger.api_keys.key_store.ENDED_KEY_SECONDS", -1)
    second, _ = store.create(NEW.key())
    assert ENDED_KEY_SECONDS > 0
    assert [key.id for key in store.all()] == [second.id]


@pytest.mark.parametrize(
    "wrong",
    [
        {"scopes": ("everything",)},
        {"rate": "100"},
        {"rate": "0/s"},
        {"rows": "nan/h"},
        {"networks": ("10.0.0.1/8",)},
    ],
)
def test_wrong_key_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(Invalid):
        NewKey(**{"name": "a", "scopes": ("predict",), **wrong}).key()


def test_key_that_cannot_be_read_hinders_no_other(
    client: redis.Redis, store: KeyStore, process: Process
) -> None:
    """Such as one of a later release."""
    client.hset(keys.API_KEYS, "broken00", b'{"id": "broken00", "name": 1}')
    key, token = store.create(NEW.key())
    assert store.all() == [key]
    assert process.caller(token)
    with pytest.raises(KeyNotFound):
        store.get("broken00")
    with pytest.raises(KeyInvalid):
        process.caller(make_token("broken00")[0])
    assert store.revoke(key.id).revoked_at
