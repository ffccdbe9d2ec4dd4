"""The disk is full at any write: the error is told, nothing is left, and the next attempt works."""

import errno
import os
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from registry.readiness import GoldenRows
from registry.registrations.registrations import MODEL, Registrations
from registry.registrations.request import IdempotentUse, RegistrationRequest
from registry.store import Registry
from telemetry.errors import DiskFull
from tests.support.models import described

MOST_WRITES = 100
NOT_OF_A_VERSION = (".lock", ".generation", "registry.key", "highest")
"""Names of files that remain, as they belong to no version."""
GOLDEN = GoldenRows([[1.0]], {"predict": ["a"]})


def left(home: Path) -> list[str]:
    files = (path.relative_to(home) for path in home.rglob("*") if path.is_file())
    kept = (path for path in files if path.name not in NOT_OF_A_VERSION)
    return sorted(str(path) for path in kept if path.suffix != ".removed")  # its number is used up


def full_at_each_write(patch: pytest.MonkeyPatch, act: Callable[[], object], home: Path) -> int:
    """Act with a disk that is full at the first write, then at the second, until it succeeds.

    Returns how often it failed; after each time, the files are those of before.
    """
    before = left(home)
    for writes in range(MOST_WRITES):
        with patch.context() as full:
            _fill_after(full, writes)
            try:
                act()
            except OSError as error:
                assert DiskFull.is_told_by(error)
            else:
                return writes
        assert left(home) == before, f"after {writes} writes"
    raise AssertionError("it always fails")


def _fill_after(patch: pytest.MonkeyPatch, writes: int) -> None:
    done, sync = iter(range(writes)), os.fsync

    def counted(descriptor: int) -> None:
        if _needs_space(descriptor) and next(done, None) is None:
            raise OSError(errno.ENOSPC, "No space left on device")
        sync(descriptor)

    patch.setattr(os, "fsync", counted)


def _needs_space(descriptor: int) -> bool:
    """Whether this is a file with content; the stamp is empty."""
    return stat.S_ISREG((found := os.fstat(descriptor)).st_mode) and found.st_size > 0


def test_version_on_a_full_disk_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    registry = Registry(tmp_path)
    registry.add("m", described(b"one"), b"one", golden=GOLDEN)

    def act() -> object:
        return registry.add("m", described(b"two"), b"two", golden=GOLDEN, lock=b"lock")

    assert full_at_each_write(monkeypatch, act, tmp_path) > 5
    assert registry.resolve("m").manifest.sha256 == described(b"two").sha256
    assert [change.act for change in registry.history("m")] == ["registered", "registered"]


def test_registration_on_a_full_disk_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    registrations = Registrations(Registry(tmp_path))

    def act() -> object:
        with registrations.staging() as directory:
            (directory / MODEL).write_bytes(b"model")
            use = IdempotentUse("key", "payload")
            return registrations.accept(directory, RegistrationRequest(model="m"), None, use)

    assert full_at_each_write(monkeypatch, act, tmp_path) == 3
    (reference,) = registrations.pending()
    assert (registrations.directory(reference) / MODEL).read_bytes() == b"model"
