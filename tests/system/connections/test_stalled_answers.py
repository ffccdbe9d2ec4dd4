"""Clients that stop reading a large outcome hold bounded memory, which is soon freed."""

from collections.abc import Iterator
from contextlib import ExitStack

import psutil
import pytest

from tests.support.models import Wordy, register
from tests.support.stack import LiveStack, running, until
from tests.system.jobs.test_stalled_downloads import stalled

pytestmark = pytest.mark.slow

MIB = 2**20
ROWS = 10_000
CLIENTS = 40


@pytest.fixture
def wordy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveStack]:
    home = tmp_path_factory.mktemp("wordy")
    register(home, "wordy", Wordy(), [[1.0, 0.0]])
    with running(home, forks=True) as stack:
        yield stack


def test_unread_large_outcomes_are_bounded(wordy: LiveStack) -> None:
    task_id = wordy.submit("wordy", [[1.0, 0.0]] * ROWS)["id"]
    until(lambda: wordy.status(task_id) == "succeeded", "the outcome")
    path = f"/predict/result/{task_id}"
    assert len(wordy.http.get(path).content) > 14 * MIB
    before = memory(wordy)
    with ExitStack() as clients:
        heads = [clients.enter_context(stalled(wordy, path)) for _ in range(CLIENTS)]
        assert {head[:12] for head in heads} == {b"HTTP/1.1 200", b"HTTP/1.1 503"}
        assert wordy.http.get(path).json()["code"] == "busy"
        assert memory(wordy) - before < 256 * MIB
        assert wordy.http.get("/models").is_success
        answer = wordy.http.post("/predict", json={"model": "wordy", "features": [[1, 0]] * ROWS})
        assert (answer.status_code, "id" in answer.json()) == (202, True)
    until(lambda: wordy.http.get(path).is_success, "room")


def memory(stack: LiveStack) -> int:
    """Memory of the API's processes in bytes."""
    api = psutil.Process(stack.pid("api"))
    return sum(process.memory_info().rss for process in api.children(recursive=True))
