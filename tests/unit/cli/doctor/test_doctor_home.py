"""Checks of disk, limits, keys and models, on homes that have the faults."""

import os
import shutil
import time
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import psutil
import pytest

from cli.backups.archive import NOTE, BackupNote
from cli.doctor import machine_checks
from cli.doctor.checklist import findings_of
from cli.doctor.finding import Check, Finding, finding_of
from cli.doctor.home_checks import home_checks
from cli.doctor.machine_checks import machine_checks as checks_of_machine
from cli.doctor.model_checks import model_checks
from registry.readiness import Readiness
from registry.store import Registry
from tests.support.models import with_models_of


def by_name(checks: list[Check]) -> dict[str, Finding]:
    return {each.name: finding_of(each) for each in checks}


def levels(checks: list[Check]) -> dict[str, str]:
    return {name: found.level for name, found in by_name(checks).items()}


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A private home with keys."""
    tmp_path.chmod(0o700)
    for name in ("local.key", "id.key", "registry.key"):
        (tmp_path / name).write_bytes(b"secret")
        (tmp_path / name).chmod(0o600)
    return tmp_path


def test_private_home_with_keys_passes(home: Path) -> None:
    assert levels(home_checks(home)) == {"home": "pass", "keys": "pass", "backup": "warn"}


@pytest.mark.parametrize(("hours", "level"), [(1, "pass"), (30, "warn")])
def test_backup_that_is_made_daily_is_missed(home: Path, hours: float, level: str) -> None:
    made_at = time.time() - 3600 * hours
    note = BackupNote(made_at=made_at, path="/backups/b.tar", redis_version="7.4.0")
    (home / NOTE).write_bytes(msgspec.json.encode(note))
    found = by_name(home_checks(home))["backup"]
    assert (found.level, found.message) == (level, f"{hours}.0 h old: /backups/b.tar")
    (home / NOTE).write_bytes(b"\xff")
    assert "none was made" in by_name(home_checks(home))["backup"].message


@pytest.mark.parametrize(
    "damaged",
    [b'{"pid": 1, "url": "\xff"}', b'{"pid": 1, "url": "http://127.0.0.1:port"}', b"{", b"[]"],
)
def test_damaged_stack_file_is_none(home: Path, damaged: bytes) -> None:
    (home / "stack.json").write_bytes(damaged)
    assert {each.check: each.level for each in findings_of(home)}["stack"] == "warn"


@pytest.mark.parametrize(("mode", "level"), [(0o700, "pass"), (0o755, "warn"), (0o770, "fail")])
def test_home_that_others_can_enter(home: Path, mode: int, level: str) -> None:
    home.chmod(mode)
    assert levels(home_checks(home))["home"] == level


def test_keys_that_are_empty_or_open_to_others_fail(home: Path) -> None:
    (home / "id.key").chmod(0o640)
    assert "others may read: id.key" in by_name(home_checks(home))["keys"].message
    (home / "registry.key").write_bytes(b"")
    assert by_name(home_checks(home))["keys"].message == "empty: registry.key"


def test_missing_key_of_ids_fails_only_beside_data(home: Path) -> None:
    (home / "id.key").unlink()
    log = home / "redis/appendonlydir/appendonly.aof.1.incr.aof"
    log.parent.mkdir(parents=True)
    log.touch()
    assert levels(home_checks(home))["keys"] == "pass"
    log.write_text("*2")
    assert levels(home_checks(home))["keys"] == "fail"


class Usage(NamedTuple):
    free: int


@pytest.mark.parametrize(
    ("free", "level"), [(3 * 2**30, "pass"), (3 * 2**29, "warn"), (2**29, "fail")]
)
def test_disk_is_compared_with_the_reserve(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, free: int, level: str
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda path: Usage(free))
    assert levels(checks_of_machine(tmp_path / "not/yet", os.getpid()))["disk"] == level


class Limited:
    """A process with these limits."""

    threads, files = 10_000, 20_000

    def __init__(self, pid: int) -> None: ...

    def rlimit(self, which: int) -> tuple[int, int]:
        return (self.threads, self.threads) if which == psutil.RLIMIT_NPROC else (256, self.files)


@pytest.mark.parametrize(
    ("threads", "files", "expected"),
    [
        (10_000, 20_000, ("pass", "pass")),
        (1_400, 4_096, ("warn", "warn")),
        (900, 512, ("fail", "fail")),
        (-1, -1, ("pass", "pass")),
    ],
)
def test_limits_of_processes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, threads: int, files: int, expected: Any
) -> None:
    monkeypatch.setattr(Limited, "threads", threads)
    monkeypatch.setattr(Limited, "files", files)
    monkeypatch.setattr(psutil, "Process", Limited)
    monkeypatch.setattr(machine_checks, "_threads_of_user", lambda: 1_000)
    found = levels(checks_of_machine(tmp_path, 1))
    assert (found["threads"], found["open files"]) == expected


def test_models_that_are_whole_pass(constant_home: Path, tmp_path: Path) -> None:
    home = with_models_of(constant_home, tmp_path)
    assert set(levels(model_checks(home)).values()) == {"pass"}


def test_faults_of_models_are_found(constant_home: Path, tmp_path: Path) -> None:
    home = with_models_of(constant_home, tmp_path)
    registry = Registry(home)
    (manifest,) = registry.versions("iris")
    registry.set_state(manifest, Readiness().with_status("refused", "it answers otherwise"))
    registry.artifact(manifest).write_bytes(b"damaged")
    (home / "registry.key").write_bytes(b"another")
    broken = home / "models/broken/versions/1.json"
    broken.parent.mkdir(parents=True)
    broken.write_text("{")
    found = by_name(model_checks(home))
    assert {name: each.message for name, each in found.items() if each.level != "pass"} == {
        "models": "cannot be read: broken",
        "readiness": "iris:1 is refused",
        "artifacts": "missing or changed: iris:1",
        "trusted models": "run code, and are not signed: iris:1",
    }


def test_home_where_nothing_runs(constant_home: Path, tmp_path: Path) -> None:
    found = {each.check: each for each in findings_of(with_models_of(constant_home, tmp_path))}
    assert found["stack"].level == "warn"
    assert "predictions were not checked" in found["stack"].message
    assert found["redis version"].message.startswith("`up` would start ")
    assert "API" not in found


def test_home_that_does_not_exist_yet(tmp_path: Path) -> None:
    found = {each.check: each.level for each in findings_of(tmp_path / "new")}
    assert found["stack"] == "warn"
    assert "keys" not in found
