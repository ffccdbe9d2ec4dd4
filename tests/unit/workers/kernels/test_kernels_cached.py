"""The cache of compiled kernels: reused if it is intact, and never loaded if it is not."""

import logging
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.measurement import MEASUREMENT
from workers.models.kernels.compiled import building, compiling
from workers.models.kernels.compiled.layout import NODE, Trees

compiled = compiling.compiled_loops.__wrapped__


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return tmp_path / "predictq" / "kernels"


@pytest.fixture(scope="module")
def object_file() -> bytes:
    """What `building` gives; compiled once, as that takes seconds."""
    with MEASUREMENT.of_children():
        return building.built()


@pytest.fixture
def builds(object_file: bytes, monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """An entry for each time that something was compiled."""
    done: list[bytes] = []

    def built() -> bytes:
        done.append(object_file)
        return object_file

    monkeypatch.setattr(building, "built", built)
    return done


def _sums(loops: Any) -> list[float]:
    """What a loop adds for rows on both sides of one threshold, and for a missing value."""
    trees = Trees(
        nodes=np.array([(0.5, 0, 1), (np.inf, -1, 1), (np.inf, -2, 2)], dtype=NODE),
        left_if_missing=np.array([1, 1, 1], dtype=np.uint8),
        roots=np.array([0]),
        values=np.array([[3.0], [4.0]]),
    )
    rows, out = np.array([[0.5], [0.6], [np.nan]], dtype=np.float32), np.ones((3, 1))
    loops.over("add_leaves", *trees.arrays())(rows, out)
    return list(out[:, 0])


def test_kernels_cached_are_loaded_and_damaged_ones_are_built_again(
    cache: Path, builds: list[bytes]
) -> None:
    assert _sums(compiled()) == [4.0, 5.0, 4.0]
    assert _sums(compiled()) == [4.0, 5.0, 4.0]
    assert len(builds) == 1
    (path,) = [path for path in cache.iterdir() if path.suffix != ".lock"]
    for damaged in (builds[0][:-1], builds[0][:99] + b"?" + builds[0][100:], b""):
        path.write_bytes(damaged)
        assert _sums(compiled()) == [4.0, 5.0, 4.0]
        assert path.read_bytes() == builds[0]
    assert len(builds) == 4
    assert len(list(cache.iterdir())) == 2, "nothing is left of a build"


def test_kernels_are_not_cached_where_others_could_write(
    cache: Path, builds: list[bytes], caplog: pytest.LogCaptureFixture
) -> None:
    cache.mkdir(parents=True)
    cache.chmod(0o777)
    with caplog.at_level(logging.WARNING):
        assert _sums(compiled()) == [4.0, 5.0, 4.0]
    assert "could be written by others" in caplog.text
    assert not list(cache.iterdir())
    assert len(builds) == 1


def test_kernels_that_cannot_be_compiled_are_told(
    cache: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(sys, "executable", "false")
    assert compiled() is None
    assert "cannot be compiled" in caplog.text
    assert not [path for path in cache.iterdir() if path.suffix != ".lock"]
