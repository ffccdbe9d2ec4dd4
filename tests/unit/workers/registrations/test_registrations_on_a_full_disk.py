"""The check of a registration on a full disk: refused with a clear reason, and nothing is left."""

import errno
from pathlib import Path
from typing import Any

import pytest

from registry.registrations.registrations import MODEL, Registrations
from registry.registrations.request import GateDecision, RegistrationRequest
from registry.store import Registry
from tasks.settings import Settings
from workers.registrations import checking


def _refused(home: Path, **settings: Any) -> GateDecision:
    registrations = Registrations(Registry(home))
    with registrations.staging() as directory:
        (directory / MODEL).write_bytes(b"model")
        accepted = registrations.accept(directory, RegistrationRequest(model="m"), None, None)
    checking.check_registration(
        accepted.reference, Settings(redis_url="redis://unused", home=home, **settings)
    )
    assert [*registrations.pending()] == []
    found = registrations.decision("m", accepted.version)
    assert found is not None
    return found


def test_check_leaves_the_disk_reserve_free(tmp_path: Path) -> None:
    found = _refused(tmp_path, spare_bytes=2**62)
    assert (found.status, found.code) == ("refused", "disk_full")
    assert "less than 4398046511104 MiB of the disk free" in found.reason


def test_check_on_a_full_disk_is_refused_with_the_reason(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(checking, "enter_for", full)
    found = _refused(tmp_path, spare_bytes=0)
    assert (found.status, found.code) == ("refused", "disk_full")
    assert found.reason.endswith("No space left on device")
