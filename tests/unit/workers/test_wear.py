"""A pool process is worn once models have left too much behind in it."""

import multiprocessing
import threading
from collections.abc import Callable

import pytest

from workers.memory_limit import bound_growth
from workers.wear import MAX_THREADS_LEFT, Wear

MIB = 2**20


def of_leaks() -> None:
    bound_growth(256 * MIB)
    wear = Wear()
    kept = [bytearray(64 * MIB)]
    assert wear.reason() == ""
    kept.append(bytearray(80 * MIB))
    assert "MiB, more than half of what it may" in wear.reason()


def of_threads() -> None:
    wear, over = Wear(), threading.Event()
    for count in range(MAX_THREADS_LEFT + 1):
        assert wear.reason() == "", count
        threading.Thread(target=over.wait, daemon=True).start()
    assert wear.reason() == "models have left 33 threads running in it"
    over.set()


def of_nothing() -> None:
    wear = Wear()
    kept = bytearray(600 * MIB)
    assert wear.reason() == "", "there is no limit"
    assert kept


@pytest.mark.parametrize("wear", [of_leaks, of_threads, of_nothing])
def test_wear_of_a_process(wear: Callable[[], None]) -> None:
    process = multiprocessing.get_context("fork").Process(target=wear)
    process.start()
    process.join()
    assert process.exitcode == 0
