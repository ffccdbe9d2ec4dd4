"""A stack that computes batch jobs, of models that raise, kill, and wait."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.jobs.room import Room
from tests.models import Doubling, Lethal, Plodding, Touchy, register
from tests.stack import LiveStack, running


@pytest.fixture(scope="session")
def bulky(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveStack]:
    home = tmp_path_factory.mktemp("bulky")
    diary = home / "diary"
    diary.touch()
    for model in (Doubling(), Touchy(str(diary)), Lethal(), Plodding(str(diary))):
        register(home, type(model).__name__.lower(), model, [[1.0, 0.0]])
    with running(
        home,
        PREDICTQ_VISIBILITY_TIMEOUT="4",
        PREDICTQ_BATCH_ROOTS=str(tmp_path_factory.getbasetemp()),
    ) as stack:
        stack.start("bulk")
        yield stack


@pytest.fixture
def room(bulky: LiveStack, tmp_path: Path) -> Room:
    return Room(bulky, tmp_path)
