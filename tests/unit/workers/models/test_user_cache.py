"""Directories in the user's cache can be written by this user alone."""

import os
import stat
from pathlib import Path

import pytest

from workers.models.user_cache import user_cache


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return tmp_path / "predictq"


def test_user_cache_is_private_whatever_the_umask(cache: Path) -> None:
    before = os.umask(0)
    try:
        found = user_cache("code")
    finally:
        os.umask(before)
    assert found == cache / "code"
    assert [stat.S_IMODE(path.stat().st_mode) for path in (cache, found)] == [0o700, 0o700]


@pytest.mark.parametrize("name", ["", "code"], ids=["parent", "own"])
def test_user_cache_that_others_can_write_is_not_used(cache: Path, name: str) -> None:
    user_cache("code")
    (cache / name).chmod(0o777)
    with pytest.raises(PermissionError, match="could be written by others"):
        user_cache("code")
