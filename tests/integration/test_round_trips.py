"""Round trips to Redis are counted, so that they cannot creep up."""

import time
from collections.abc import Iterator

import pytest
import redis

from tasks.ledger.ledger import connect
from tests.models import Doubling, register
from tests.stack import LiveStack, running, until

SCRIPTS = "cmdstat_evalsha"
LOOKS = "cmdstat_blmove"
PUBLISHED = "cmdstat_publish"


@pytest.fixture(scope="module")
def single(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveStack]:
    """A worker with one process."""
    home = tmp_path_factory.mktemp("single")
    register(home, "doubling", Doubling(), [[1.0, 0.0]])
    with running(home, processes=1) as stack:
        until(lambda: stack.predict("doubling", [1.0, 0.0]), "a first prediction")
        yield stack


@pytest.fixture
def client(single: LiveStack) -> Iterator[redis.Redis]:
    with connect(single.redis_url) as client:
        yield client


class Count:
    """Calls of commands since it was made, less what worker and API do by the clock."""

    def __init__(self, client: redis.Redis) -> None:
        self._client, self._started = client, time.monotonic()
        client.config_resetstat()

    def __getitem__(self, command: str) -> float:
        by_the_clock = 3 + 3 * (time.monotonic() - self._started)
        calls = self._client.info("commandstats").get(command, {"calls": 0})["calls"]
        return float(calls) - by_the_clock


def test_a_submission_is_one_round_trip(single: LiveStack, client: redis.Redis) -> None:
    with single.frozen("worker"):
        count = Count(client)
        for _ in range(50):
            single.submit("doubling", [1.0, 0.0])
        assert client.info("commandstats")[SCRIPTS]["calls"] <= 50
        asked = {name for name in client.info("commandstats") if name != "cmdstat_info"}
    assert count[SCRIPTS] <= 50
    assert {"cmdstat_publish", "cmdstat_subscribe", "cmdstat_eval"}.isdisjoint(asked)
    until(lambda: not client.hlen("predictq:reserved") and not client.llen("predict"), "all done")


def test_a_batch_is_reserved_started_and_settled_in_one_each(
    single: LiveStack, client: redis.Redis
) -> None:
    with single.frozen("worker"):
        ids = [single.submit("doubling", [1.0, 0.0])["id"] for _ in range(1000)]
        count = Count(client)
    until(lambda: not client.llen("predict") and not client.hlen("predictq:reserved"), "all done")
    scripts, looks, published = count[SCRIPTS], count[LOOKS], count[PUBLISHED]
    sizes = [single.outcome(task_id)["receipt"]["batch_size"] for task_id in ids]
    batches = round(sum(1 / size for size in sizes))
    assert batches < 200
    assert scripts <= 4 * batches
    assert looks <= batches
    assert published <= len(ids) + 2 * batches, "news of each outcome; events, many at a time"


def test_a_lone_request_costs_few_too(single: LiveStack, client: redis.Redis) -> None:
    times = 50
    count = Count(client)
    for _ in range(times):
        single.submit("doubling", [1.0, 0.0])
        until(lambda: not client.llen("predict") and not client.hlen("predictq:reserved"), "done")
    assert count[SCRIPTS] <= (1 + 4) * times, "submit, reserve, start, settle, an empty reserve"
    assert count[LOOKS] <= times
