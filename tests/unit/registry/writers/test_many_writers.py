"""Many processes register versions at once: each gets a number of its own, and none is lost."""

from multiprocessing import get_context
from pathlib import Path

import pytest

from registry.store import Registry
from tests.support.models import described

PROCESSES, MODELS = 8, 5


def register(home: Path, process: int, many: int) -> None:
    registry = Registry(home)
    for number in range(many):
        content = f"{process}-{number}".encode()
        registry.add(f"m{number % MODELS}", described(content), content, alias="production")


@pytest.mark.parametrize("registrations", [40, pytest.param(504, marks=pytest.mark.exhaustive)])
def test_registrations_at_once_have_numbers_of_their_own(
    tmp_path: Path, registrations: int
) -> None:
    many = registrations // PROCESSES
    made = [
        get_context("fork").Process(target=register, args=(tmp_path, process, many))
        for process in range(PROCESSES)
    ]
    for process in made:
        process.start()
    for process in made:
        process.join()
    assert [process.exitcode for process in made] == [0] * PROCESSES
    registry = Registry(tmp_path)
    found = {name: [each.version for each in registry.versions(name)] for name in registry.models()}
    assert sum(map(len, found.values())) == registrations
    for name, versions in found.items():
        assert versions == list(range(1, len(versions) + 1))
        assert len({each.sha256 for each in registry.versions(name)}) == len(versions)
        # Each is in the history, with its move of the alias, and the last one is what it means.
        history = registry.history(name)
        assert [change.version for change in history if change.act == "registered"] == versions
        assert registry.aliases(name) == {"production": versions[-1]}
