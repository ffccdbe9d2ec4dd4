"""Streams of events through a shutdown of the API and an outage of Redis."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.models import with_models_of
from tests.support.stack import LiveStack, running, until
from tests.system.waiting.event_listener import EventListener, listening

pytestmark = pytest.mark.slow

ROW = [5.1, 3.5, 1.4, 0.2]


@pytest.fixture(scope="module")
def followed(constant_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveStack]:
    home = with_models_of(constant_home, tmp_path_factory.mktemp("followed"))
    with running(home, forks=True, PREDICTQ_VISIBILITY_TIMEOUT="5") as stack:
        yield stack


@pytest.fixture
def key(followed: LiveStack) -> str:
    return (followed.home / "local.key").read_text().strip()


def test_event_stream_ends_when_the_process_shuts_down(followed: LiveStack, key: str) -> None:
    listener = EventListener(followed.parts.port, key)
    until(lambda: listener.heard, "the beginning")
    followed.stop("api")
    until(lambda: listener.has_ended, "the end of the stream", 5)
    followed.start("api")
    task_id = followed.submit("iris", ROW)["id"]
    with listening(followed.parts.port, key, listener.heard[-1].id) as again:
        until(lambda: again.ids == [task_id], "what came meanwhile")


def test_event_stream_goes_on_after_an_outage_of_redis(followed: LiveStack, key: str) -> None:
    with listening(followed.parts.port, key) as listener:
        until(lambda: listener.heard, "the beginning")
        followed.kill("redis")
        followed.start("redis")
        until(followed.serves, "a prediction", 60)
        task_id = followed.submit("iris", ROW)["id"]
        until(lambda: task_id in listener.ids, "its event")
        assert "gap" not in {each.kind for each in listener.heard}
