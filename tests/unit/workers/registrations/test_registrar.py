"""The registrar: claims registrations, runs their processes, and gives up on those that die."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from registry.registrations.registrations import CLAIM, MODEL, Registrations
from registry.registrations.request import GateDecision, RegistrationRequest
from registry.storage.files import try_lock
from registry.store import Registry
from tests.support.stack import until
from workers.registrations import registrar
from workers.registrations.registrar import Registrar


@pytest.fixture
def registrations(tmp_path: Path) -> Registrations:
    found = Registrations(Registry(tmp_path))
    with found.staging() as directory:
        (directory / MODEL).write_bytes(b"no model")
        found.accept(directory, RegistrationRequest(model="m"), None, None)
    return found


@contextmanager
def running(home: Path) -> Iterator[None]:
    """A registrar in a thread, for the time of the block."""
    over = threading.Event()
    thread = threading.Thread(target=Registrar(home).run, args=(over,))
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def decided(registrations: Registrations) -> Callable[[], GateDecision | None]:
    return lambda: registrations.decision("m", 1)


def test_registrar_has_a_file_checked_that_is_no_model(
    registrations: Registrations, tmp_path: Path
) -> None:
    with running(tmp_path):
        decision = until(decided(registrations), "a decision", 90)
    assert (decision.status, decision.code) == ("refused", "model_unloadable")
    assert str(tmp_path) not in decision.reason
    assert [*registrations.pending()] == []


def test_registrar_refuses_what_kills_its_process(
    registrations: Registrations, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(registrar, "CHECKING", "there.is.no.such.module")
    monkeypatch.setattr(registrar, "LOOK_SECONDS", 0.01)
    with running(tmp_path):
        decision = until(decided(registrations), "a decision")
    assert (decision.status, decision.code) == ("refused", "worker_lost")
    assert "3 times" in decision.reason


def test_registrar_refuses_what_takes_too_long(
    registrations: Registrations, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(registrar, "CHECK_SECONDS", 0.0)
    with running(tmp_path):
        decision = until(decided(registrations), "a decision")
    assert (decision.status, decision.code) == ("refused", "timed_out")


def test_registrar_leaves_what_another_process_checks(
    registrations: Registrations, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(registrar, "CHECKING", "there.is.no.such.module")
    monkeypatch.setattr(registrar, "LOOK_SECONDS", 0.01)
    with try_lock(registrations.directory("m:1") / CLAIM), running(tmp_path):
        with registrations.staging() as directory:
            (directory / MODEL).write_bytes(b"another")
            registrations.accept(directory, RegistrationRequest(model="n"), None, None)
        until(lambda: registrations.decision("n", 1), "a decision on the other one")
        assert registrations.decision("m", 1) is None
