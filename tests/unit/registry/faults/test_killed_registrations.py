"""A registration that is killed in any of its states goes on, or nothing of it was accepted."""

from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest

from registry.readiness import READY
from registry.registrations.registrations import MODEL, REQUEST, Registrations
from registry.registrations.request import IdempotentUse, RegistrationRequest
from registry.store import Registry
from tasks.settings import Settings
from tests.support.models import described
from tests.unit.registry.faults.killed_writes import killed_at_each_write
from workers.registrations import checking

WISH = RegistrationRequest(model="m", alias="production")


class _Home:
    """A home for each kill, so that each begins with nothing."""

    def __init__(self, root: Path) -> None:
        self._homes: Iterator[Path] = (root / str(number) for number in range(100))

    def begin(self) -> None:
        self.path = next(self._homes)
        self.registry = Registry(self.path)
        self.registrations = Registrations(self.registry)

    def accept(self) -> RegistrationRequest:
        with self.registrations.staging() as directory:
            (directory / MODEL).write_bytes(b"model")
            use = IdempotentUse("key", "payload")
            return self.registrations.accept(directory, WISH, None, use)

    def check(self) -> None:
        """As the process of a registration does, with a model that is never opened."""
        for reference in list(self.registrations.pending()):
            self.registrations.begin_attempt(reference)
            checking.check_registration(reference, Settings(redis_url="", home=self.path))

    def has_one_version(self, number: int) -> bool:
        """Whether all is done: one version, its alias, a decision, and nothing else."""
        decision = self.registrations.decision("m", number)
        return (
            [*self.registrations.pending()] == []
            and [each.version for each in self.registry.versions("m")] == [number]
            and self.registry.aliases("m") == {"production": number}
            and decision is not None
            and decision.status == "ready"
            and [c.after for c in self.registry.history("m") if c.alias] == [number]
        )


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> _Home:
    inspected: Any = type("Inspected", (), {"own_answers": None, "unknown": ()})
    found = checking.Examined(described(b"model"), b"model", None, inspected, nullcontext)
    for name, double in {
        "enter_for": lambda *_: None,
        "bound_growth": lambda _: None,
        "share_of_one": lambda: 0,
        "_examined": lambda *_, **__: found,
        "warmed": lambda *_, **__: (READY, None),
    }.items():
        monkeypatch.setattr(checking, name, double)
    monkeypatch.setattr(checking.os, "chdir", lambda _: None)
    return _Home(tmp_path)


def test_killed_api_has_accepted_a_registration_or_not(
    home: _Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    for writes in killed_at_each_write(monkeypatch, home.begin, home.accept):
        assert writes < 3, "number, request, key"
        assert [*home.registrations.pending()] == [], "without its answer, nothing is registered"
        again = home.accept()  # as a caller repeats it, with the same key
        home.check()
        assert home.has_one_version(again.version)


def test_killed_check_of_a_registration_goes_on(
    home: _Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    def accepted() -> None:
        home.begin()
        home.accept()

    kills = []
    for writes in killed_at_each_write(monkeypatch, accepted, home.check):
        kills.append(writes)
        assert [*home.registrations.pending()] == ["m:1"]
        home.check()
        assert home.has_one_version(1)
    assert len(kills) > 8, "attempt, artifact, state, signature, number, manifest, alias, decision"


def test_registration_whose_decision_was_written_has_its_files_deleted(home: _Home) -> None:
    home.begin()
    home.accept()
    directory = home.registrations.directory("m:1")
    request = (directory / REQUEST).read_bytes()
    home.check()
    directory.mkdir()
    (directory / REQUEST).write_bytes(request)  # as if the kill had come before they were deleted
    (directory / MODEL).write_bytes(b"model")
    home.check()
    assert home.has_one_version(1)
