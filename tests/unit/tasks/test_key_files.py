"""Key files: created once, readable by their owner only, and never empty."""

import stat
from pathlib import Path

import pytest

from tasks.key_files import read_or_make, replace_key


def test_key_file_is_made_once_for_its_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "home/a.key"
    assert read_or_make(path, lambda: b"first") == b"first"
    assert read_or_make(path, lambda: b"second") == b"first"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [found.name for found in path.parent.iterdir()] == ["a.key"]


def test_empty_key_file_is_refused_and_kept(tmp_path: Path) -> None:
    path = tmp_path / "a.key"
    path.touch()
    with pytest.raises(OSError, match=r"the key is empty: restore it, or delete the file.*a\.key"):
        read_or_make(path, lambda: b"another")
    assert path.read_bytes() == b""


def test_key_file_is_synced_before_it_is_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[int] = []
    monkeypatch.setattr("os.fsync", synced.append)
    read_or_make(tmp_path / "a.key", lambda: b"key")
    assert len(synced) == 2, "the file and its directory"


def test_key_is_replaced_whole_or_not_at_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.key"
    read_or_make(path, lambda: b"old")

    def full(_: int) -> None:
        raise OSError("the disk is full")

    with monkeypatch.context() as patch:
        patch.setattr("os.fsync", full)
        with pytest.raises(OSError, match="full"):
            replace_key(path, b"new")
    assert [(found.name, found.read_bytes()) for found in tmp_path.iterdir()] == [("a.key", b"old")]
    synced: list[int] = []
    monkeypatch.setattr("os.fsync", synced.append)
    replace_key(path, b"new")
    assert (path.read_bytes(), stat.S_IMODE(path.stat().st_mode)) == (b"new", 0o600)
    assert len(synced) == 2, "the file and its directory"
