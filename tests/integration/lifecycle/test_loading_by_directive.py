"""All workers load and unload a version when an operator says so."""

from pathlib import Path
from typing import Any

import psutil
import pytest

from predictq import Client, PredictqError, ProblemError
from tasks.key_files import read_or_make_local_key
from tests.support.models import HEAVY_BYTES, Doubling, Heavy, register
from tests.support.stack import LiveStack

pytestmark = pytest.mark.slow


@pytest.fixture
def owner(unruly: LiveStack) -> Any:
    with Client(unruly.url, key=read_or_make_local_key(unruly.home).decode()) as client:
        yield client


def holders(client: Client, reference: str) -> Any:
    """How a version is held, as `GET /models/status` says."""
    versions = client.models.status()["versions"]
    (found,) = [each for each in versions if f"{each['model']}:{each['version']}" == reference]
    return found


def fork_server_memory(stack: LiveStack) -> int:
    (found,) = psutil.Process(stack.pid("worker")).children()
    return int(found.memory_info().rss)


def test_version_is_loaded_and_unloaded_by_every_worker(unruly: LiveStack, owner: Client) -> None:
    register(unruly.home, "heavy", Heavy(), [[1.0, 0.0]])
    assert holders(owner, "heavy:1")["workers"] == []
    told = owner.models.load("heavy", 1)
    assert (told["loaded"], len(told["workers"]), told["waiting_for"]) == (True, 1, [])
    held = holders(owner, "heavy:1")
    assert held["workers"] == told["workers"]
    assert held["memory_bytes"] >= HEAVY_BYTES
    assert held["load_seconds"] > 0
    full = fork_server_memory(unruly)

    owner.models.unload("heavy", 1)
    assert holders(owner, "heavy:1")["workers"] == []
    assert holders(owner, "heavy:1")["memory_bytes"] is None
    assert full - fork_server_memory(unruly) > HEAVY_BYTES / 2
    assert unruly.http.get("/v2/models/heavy/ready").status_code == 503

    assert unruly.predict("heavy", [2.0, 0.0]) == [4.0], "the next prediction loads it again"
    assert unruly.predict("doubling", [2.0, 0.0]) == [4.0]
    assert owner.models.load("heavy", 1)["waiting_for"] == []
    assert unruly.http.get("/v2/models/heavy/ready").json() == {
        "name": "heavy",
        "version": "1",
        "ready": True,
    }


def test_load_that_fails_says_why(unruly: LiveStack, owner: Client) -> None:
    manifest = register(unruly.home, "broken", Doubling(), [[1.0, 0.0]])
    artifact = Path(unruly.home) / "models" / "artifacts" / manifest.sha256
    artifact.rename(aside := artifact.with_suffix(".aside"))
    with pytest.raises(ProblemError, match=r"cannot load broken:1: .*artifact") as caught:
        owner.models.load("broken", 1)
    assert isinstance(caught.value, PredictqError)
    aside.rename(artifact)
    assert owner.models.load("broken", 1)["waiting_for"] == [], "it is tried again at once"
