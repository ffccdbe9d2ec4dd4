"""Registrations: accepted once, claimed by one process, decided once."""

import multiprocessing
import os
from pathlib import Path

import pytest

from registry.registrations.registrations import CLAIM, MODEL, Registrations
from registry.registrations.request import GateDecision, IdempotentUse, RegistrationRequest
from registry.storage.files import try_lock
from registry.store import Registry
from telemetry.errors import Busy, IdempotencyConflict, RegistryConflict
from tests.support.models import described

WISH = RegistrationRequest(model="m")


@pytest.fixture
def registrations(tmp_path: Path) -> Registrations:
    return Registrations(Registry(tmp_path))


def accept(
    registrations: Registrations,
    use: IdempotentUse | None = None,
    version: int | None = None,
    wish: RegistrationRequest = WISH,
) -> RegistrationRequest:
    with registrations.staging() as directory:
        (directory / MODEL).write_bytes(b"model")
        return registrations.accept(directory, wish, version, use)


def test_registration_gets_the_next_number_and_keeps_its_files(
    registrations: Registrations, tmp_path: Path
) -> None:
    Registry(tmp_path).add("m", described(b"one"), b"one")
    first, second = accept(registrations), accept(registrations)
    assert [first.version, second.version] == [2, 3]
    assert sorted(registrations.pending()) == ["m:2", "m:3"]
    assert (registrations.directory("m:2") / MODEL).read_bytes() == b"model"
    assert registrations.request("m:3") == second
    # A version that is added meanwhile by a command takes another number.
    assert Registry(tmp_path).add("m", described(b"two"), b"two").version == 4
    with pytest.raises(RegistryConflict):
        accept(registrations, version=2)


def test_registration_is_repeated_with_its_key(registrations: Registrations) -> None:
    use = IdempotentUse("key", "payload")
    assert accept(registrations, use).version == accept(registrations, use).version == 1
    with pytest.raises(IdempotencyConflict):
        accept(registrations, IdempotentUse("key", "other"))
    registrations.decide(accept(registrations, use), GateDecision(status="refused"))
    assert accept(registrations, use).version == 1


def test_registration_of_a_key_that_a_crash_left_behind_is_new(
    registrations: Registrations,
) -> None:
    use = IdempotentUse("key", "payload")
    accept(registrations, use)
    assert registrations.delete("m:1")
    assert accept(registrations, use).version == 2


def test_registration_is_decided_once(registrations: Registrations, tmp_path: Path) -> None:
    accepted = accept(registrations)
    registrations.decide(accepted, GateDecision(status="refused", code="c", reason="bad"))
    registrations.decide(accepted, GateDecision(status="ready"))
    decision = registrations.decision("m", 1)
    assert decision
    assert (decision.status, decision.code, decision.reason) == ("refused", "c", "bad")
    assert [*registrations.pending()] == []
    assert [(c.act, c.version, c.why) for c in Registry(tmp_path).history("m")] == [
        ("refused", 1, "bad")
    ]
    assert accept(registrations).version == 2


def test_registration_is_claimed_by_one_process(registrations: Registrations) -> None:
    accept(registrations)
    assert not registrations.is_claimed("m:1")
    with try_lock(registrations.directory("m:1") / CLAIM) as first:
        assert first is not None
        assert registrations.is_claimed("m:1")
    assert not registrations.is_claimed("m:1")
    assert [registrations.begin_attempt("m:1") for _ in range(2)] == [1, 2]


def test_registrations_that_wait_are_bounded(
    registrations: Registrations, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("registry.registrations.registrations.MAX_PENDING", 1)
    accept(registrations)
    with pytest.raises(Busy):
        accept(registrations)


def test_registrations_sweep_what_was_left_of_uploads(registrations: Registrations) -> None:
    with registrations.staging() as directory:
        (directory / MODEL).write_bytes(b"cut off")
        os.utime(directory / MODEL, (0, 0))
        registrations.sweep()
        assert directory.exists()  # the directory itself is young
        os.utime(directory, (0, 0))
        registrations.sweep()
        assert not directory.exists()


def test_registrations_of_many_processes_get_different_numbers(tmp_path: Path) -> None:
    with multiprocessing.get_context("spawn").Pool(8) as pool:
        numbers = pool.starmap(_accept_many, [(tmp_path, 63)] * 8)
    assert sorted(number for some in numbers for number in some) == [*range(1, 505)]


def _accept_many(home: Path, many: int) -> list[int]:
    registrations = Registrations(Registry(home))
    return [accept(registrations).version for _ in range(many)]


def test_withdrawn_registration_is_decided(registrations: Registrations) -> None:
    accept(registrations)
    assert registrations.withdraw("m", 1, "tester")
    assert not registrations.withdraw("m", 1, "tester")
    decision = registrations.decision("m", 1)
    assert decision
    assert (decision.status, decision.code) == ("refused", "withdrawn")
    # The process that checks it meanwhile cannot change that, and its number is not given again.
    registrations.decide(RegistrationRequest(model="m", version=1), GateDecision(status="ready"))
    assert registrations.decision("m", 1) == decision
    assert accept(registrations).version == 2


def test_registrations_of_a_model_are_withdrawn_together(registrations: Registrations) -> None:
    accept(registrations)
    accept(registrations)
    assert sorted(registrations.withdraw_all("m", "tester")) == [1, 2]
    assert registrations.withdraw_all("m", "tester") == []


def test_claim_of_a_registration_is_seen_and_not_taken(registrations: Registrations) -> None:
    accept(registrations)
    assert not registrations.is_claimed("m:1")
    assert not (registrations.directory("m:1") / CLAIM).exists()
    with try_lock(registrations.directory("m:1") / CLAIM):
        assert registrations.is_claimed("m:1")
    assert not registrations.is_claimed("m:1")


def test_lock_passes_on_the_errors_of_its_block(tmp_path: Path) -> None:
    with pytest.raises(BlockingIOError), try_lock(tmp_path / "lock"):
        raise BlockingIOError  # as a fork that the system refuses
