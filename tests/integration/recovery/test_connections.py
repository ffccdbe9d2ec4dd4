"""Hazard 14: connections and subscriptions do not pile up with submissions."""

import json
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection
from pathlib import Path

import pytest
import redis

from api.app import THREAD_POOLS, Services
from stack.redis import socket as redis_socket
from tasks.ledger.ledger import SHARED_CONNECTIONS, connect
from tasks.settings import Settings
from tests.support.models import with_models_of
from tests.support.stack import TEST_TIMEOUT, LiveStack, until

pytestmark = pytest.mark.slow

SUBMISSIONS = 10_000
CALLERS = 40
"""More than the API has threads."""
THREADS = 32
FEW = 2
BODY = json.dumps({"model": "iris", "features": [5.1, 3.5, 1.4, 0.2]})
HEADERS = {"content-type": "application/json"}


@pytest.fixture
def front(constant_home: Path, tmp_path: Path) -> Iterator[LiveStack]:
    """Redis and an API without a worker: all connections are the API's."""
    home = with_models_of(constant_home, tmp_path / "home")
    for name in ("logs", "metrics"):
        (home / name).mkdir()
    front = LiveStack(home, {})
    try:
        front.start("redis")
        front.start("api")
        yield front
    finally:
        front.end()


def post(front: LiveStack, path: str, count: int, **headers: str) -> Counter[int]:
    """Post ``times`` requests over one connection; count the answers by status."""
    connection = HTTPConnection("127.0.0.1", front.parts.port, timeout=TEST_TIMEOUT)
    statuses: Counter[int] = Counter()
    for _ in range(count):
        connection.request("POST", path, BODY, {**HEADERS, **headers})
        answer = connection.getresponse()
        answer.read()
        statuses[answer.status] += 1
    connection.close()
    return statuses


def test_ten_thousand_submissions_leave_no_connections_behind(front: LiveStack) -> None:
    each = SUBMISSIONS // CALLERS
    with ThreadPoolExecutor(CALLERS) as pool:
        counts = list(pool.map(lambda _: post(front, "/predict/async", each), range(CALLERS)))
    assert sum(counts, Counter()) == {202: SUBMISSIONS}
    with redis.Redis.from_url(front.redis_url) as client:
        assert client.llen("predict") == SUBMISSIONS
        assert len(client.client_list()) <= THREADS + 1  # and the one that asks
        assert client.info("stats")["total_connections_received"] <= THREADS + 30
        assert client.pubsub_channels() == []


def test_waiting_requests_leave_no_subscriptions_behind(front: LiveStack) -> None:
    with ThreadPoolExecutor(CALLERS) as pool:
        waits = pool.map(lambda _: post(front, "/predict", 2, Prefer="wait=1"), range(CALLERS))
        assert sum(waits, Counter()) == {202: 2 * CALLERS}
    with redis.Redis.from_url(front.redis_url) as client:
        assert len(client.pubsub_channels()) == 1, "that of the process"
        assert len(client.client_list(_type="pubsub")) == 1
        assert len(client.client_list()) <= THREADS + 2
    path = f"/predict/result/{front.submit('iris', [5.1, 3.5, 1.4, 0.2])['id']}"
    with redis.Redis.from_url(front.redis_url) as client:
        assert front.http.get(path, headers={"Prefer": "wait=1"}).status_code == 202
        until(lambda: len(client.pubsub_channels()) == 1, "the other is left")


def test_redis_connections_are_one_for_each_api_thread(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path, redis_url="redis://127.0.0.1:1/0", threads=FEW)
    pool = Services(settings).ledger.client.connection_pool
    assert pool.max_connections == THREAD_POOLS * FEW + SHARED_CONNECTIONS


def test_redis_connections_of_an_api_with_few_threads_are_few(front: LiveStack) -> None:
    front.stop("api")
    front.start("api", PREDICTQ_THREADS=str(FEW))
    with ThreadPoolExecutor(CALLERS) as pool:
        waits = pool.map(lambda _: post(front, "/predict", 2, Prefer="wait=1"), range(CALLERS))
        plain = pool.map(lambda _: post(front, "/predict/async", 20), range(CALLERS))
        lists = pool.map(lambda _: front.http.get("/predict/batch").status_code, range(CALLERS))
        assert sum(waits, Counter()) + sum(plain, Counter()) == {202: 22 * CALLERS}
        assert Counter(lists) == {200: CALLERS}
    with redis.Redis.from_url(front.redis_url) as client:
        ours = THREAD_POOLS * FEW + SHARED_CONNECTIONS
        assert len(client.client_list()) <= ours + 1  # and the one that asks


def test_threads_beyond_the_connections_take_turns(client: redis.Redis) -> None:
    before = len(client.client_list())
    url = redis_socket.url(client.connection_pool.connection_kwargs["path"])
    with connect(url, TEST_TIMEOUT, FEW) as few, ThreadPoolExecutor(CALLERS) as pool:
        # Each command holds its connection for a moment.
        answers = [pool.submit(few.blpop, ["nothing"], 0.05) for _ in range(2 * CALLERS)]
        assert [answer.result() for answer in answers] == [None] * len(answers)
        assert len(client.client_list()) - before == FEW + SHARED_CONNECTIONS
