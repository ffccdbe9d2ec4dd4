"""Memory bounds of processes."""

import multiprocessing
import resource

import pytest

from telemetry.errors import OutOfMemory
from workers.memory_limit import (
    MIN_GROWTH_BYTES,
    bound_growth,
    bounded,
    share_of_one,
    within_share,
)

MIB = 2**20


def test_memory_bound_leaves_enough_for_any_number_of_processes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("workers.memory_limit.available_memory", lambda: 2**30)
    assert share_of_one() == MIN_GROWTH_BYTES
    monkeypatch.setattr("workers.memory_limit.available_memory", lambda: 2**40)
    monkeypatch.setattr("workers.memory_limit.os.sched_getaffinity", lambda _: range(4))
    assert share_of_one() == 2**37


def test_memory_bound_refuses_too_much_and_only_inside() -> None:
    before = resource.getrlimit(resource.RLIMIT_DATA)
    with pytest.raises(MemoryError), bounded(64 * MIB):
        bytearray(256 * MIB)
    assert resource.getrlimit(resource.RLIMIT_DATA) == before
    assert len(bytearray(256 * MIB)) == 256 * MIB
    with bounded(256 * MIB):
        bytearray(64 * MIB)


def test_memory_bound_within_another_is_no_larger() -> None:
    with bounded(64 * MIB), bounded(2**40), pytest.raises(MemoryError):
        bytearray(256 * MIB)


def test_memory_bound_limits_the_growth_of_a_process() -> None:
    context = multiprocessing.get_context("fork")
    process = context.Process(target=_grow)
    process.start()
    process.join()
    assert process.exitcode == 0


def _grow() -> None:
    bound_growth(64 * MIB)
    for size, fits in ((16 * MIB, True), (256 * MIB, False)):
        try:
            bytearray(size)
        except MemoryError:
            assert not fits
        else:
            assert fits


def test_model_that_takes_more_than_its_share_raises_out_of_memory(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("workers.memory_limit.share_of_one", lambda: 64 * MIB)
    with pytest.raises(OutOfMemory, match="more than the 64 MiB that a process"), within_share():
        bytearray(256 * MIB)
