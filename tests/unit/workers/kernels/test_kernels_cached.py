"""The cache of compiled kernels: reused if it is intact, and never read if it is not."""

import logging
import pickle
from pathlib import Path
from typing import Any

import pytest

from workers.models.kernels import compiling

compiled = compiling.compiled_loop.__wrapped__


class Marking:
    """Creates a file when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> Any:
        return Path.touch, (self.path,)


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return tmp_path / "predictq" / "kernels"


def _files(cache: Path) -> list[Path]:
    return sorted(path for path in cache.rglob("*") if path.suffix in (".nbi", ".nbc"))


def test_kernels_cached_are_loaded_and_damaged_ones_are_built_again(cache: Path) -> None:
    compiled()
    before = {path: path.stat().st_mtime_ns for path in _files(cache)}
    assert len(before) == 2
    assert compiled().stats.cache_hits
    assert {path: path.stat().st_mtime_ns for path in _files(cache)} == before
    evil = cache / "evil"
    for path in before:
        path.write_bytes(pickle.dumps(Marking(evil)))
    assert compiled().signatures
    assert not evil.exists()
    assert compiled().stats.cache_hits
    assert len(list(cache.iterdir())) == 1, "nothing is left of the first build"


def test_kernels_are_not_cached_where_others_could_write(
    cache: Path, caplog: pytest.LogCaptureFixture
) -> None:
    cache.mkdir(parents=True)
    cache.chmod(0o777)
    with caplog.at_level(logging.WARNING):
        assert compiled().signatures
    assert "could be written by others" in caplog.text
    assert not list(cache.iterdir())
