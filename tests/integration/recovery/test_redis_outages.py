"""Promise 6: without Redis, every request is answered within two seconds, and all recovers."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path

import httpx2
import psutil
import pytest
import redis

from tasks.ledger import keys
from tasks.ledger.ledger import connect
from tests.integration.refusing_redis import Refusing, demoted, unsaved
from tests.support.models import with_models_of
from tests.support.stack import Json, LiveStack, running, until

pytestmark = pytest.mark.slow

ROW = [5.1, 3.5, 1.4, 0.2]
BODY: Json = {"model": "iris", "features": ROW}
SOON = 2.0
"""Seconds."""
WHILE = 5.0
"""Seconds for which a worker that waits is looked at."""
NEED_REDIS = [
    ("POST", "/predict/async"),
    ("POST", "/predict"),
    ("GET", "/predict/result/{known}"),
    ("DELETE", "/predict/result/{known}"),
    ("GET", "/predict/result/no-id"),
    ("GET", "/stats"),
]
DO_NOT = ["/health", "/models", "/models/iris", "/openapi.json", "/docs", "/metrics"]


@pytest.fixture(scope="module")
def fragile(constant_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveStack]:
    """A stack with a visibility timeout of five seconds instead of thirty."""
    home = with_models_of(constant_home, tmp_path_factory.mktemp("fragile"))
    with running(home, forks=True, PREDICTQ_VISIBILITY_TIMEOUT="5") as stack:
        yield stack


@contextmanager
def down(stack: LiveStack) -> Iterator[None]:
    """Kill Redis inside the context, and restart it with the same data."""
    stack.kill("redis")
    try:
        yield
    finally:
        stack.start("redis")


OUTAGES = [pytest.param(down, id="down"), pytest.param(lambda s: s.frozen("redis"), id="frozen")]


def timed(stack: LiveStack, method: str, path: str, **given: object) -> httpx2.Response:
    """Send one request, which must be answered soon."""
    started = time.monotonic()
    answer = stack.http.request(method, path, **given)
    seconds = time.monotonic() - started
    assert seconds < SOON, f"{method} {path} took {seconds:.2f} s"
    return answer


@pytest.mark.parametrize("outage", OUTAGES)
def test_redis_outage_is_answered_soon_and_recovered_from(
    fragile: LiveStack, outage: type[AbstractContextManager[None]]
) -> None:
    known = fragile.submit("iris", ROW)["id"]
    before = fragile.outcome(known)
    with outage(fragile):
        # The first round finds dead connections, the second tries new ones.
        for _ in range(2):
            all_unavailable(fragile, known)
        for path in DO_NOT:
            assert timed(fragile, "GET", path).status_code == 200
        assert "predictq_redis_up 0.0" in timed(fragile, "GET", "/metrics").text
        ready = timed(fragile, "GET", "/ready")
        assert (ready.status_code, ready.json()) == (
            503,
            {"ready": False, "redis": False, "workers": 0},
        )
        bad = timed(fragile, "POST", "/predict", json={"model": "iris", "features": [1.0]})
        assert bad.status_code == 422
    assert fragile.outcome(known) == before
    assert fragile.serves()
    assert fragile.http.get("/ready").status_code == 200


def all_unavailable(stack: LiveStack, known: str) -> None:
    """Send all requests concurrently, so that a waiting one must not delay the others."""

    def ask(call: tuple[str, str]) -> httpx2.Response:
        method, path = call
        return timed(
            stack, method, path.format(known=known), json=BODY if method == "POST" else None
        )

    with ThreadPoolExecutor(len(NEED_REDIS)) as pool:
        for answer in pool.map(ask, NEED_REDIS):
            assert_unavailable(answer)


def assert_unavailable(answer: httpx2.Response) -> None:
    problem = answer.json()
    assert answer.status_code == 503, problem
    assert answer.headers["content-type"] == "application/problem+json"
    assert int(answer.headers["retry-after"]) >= 1
    # A submission that was in flight may have been accepted, and the problem says so.
    assert problem["code"] in ("unavailable", "submission_uncertain")
    assert ("id" in problem) == (problem["code"] == "submission_uncertain")
    assert problem["retryable"]


def subscribers(stack: LiveStack, task_id: str) -> int:
    """The number of API processes that subscribe to this outcome."""
    with redis.Redis.from_url(stack.redis_url) as client:
        return int(client.pubsub_numsub(keys.record(task_id))[0][1])


def test_waiting_request_is_answered_when_redis_dies(fragile: LiveStack) -> None:
    """Redis is killed while a request waits."""
    with fragile.frozen_pool(), ThreadPoolExecutor(1) as pool:
        pending = fragile.submit("iris", ROW)
        path, waiting = f"/predict/result/{pending['id']}", {"Prefer": "wait=20"}
        waiter = pool.submit(fragile.http.get, path, headers=waiting)
        until(lambda: subscribers(fragile, pending["id"]), "one who waits")
        with down(fragile):
            answer = waiter.result(timeout=5)
        # It was accepted, and the caller is told its id.
        assert (answer.status_code, answer.json()["id"]) == (202, pending["id"])
    assert fragile.outcome(pending["id"], within=60)["status"] == "succeeded"


def test_idle_worker_survives_a_restart_of_redis(fragile: LiveStack) -> None:
    until(fragile.serves, "a prediction")
    until(lambda: fragile.http.get("/stats").json()["reserved"] == 0, "an idle worker")
    worker = fragile.pid("worker")
    fragile.stop("redis")
    until(lambda: fragile.http.get("/ready").json()["redis"] is False, "the outage seen")
    fragile.start("redis")
    assert fragile.serves()
    assert fragile.pid("worker") == worker


@pytest.mark.parametrize("refusing", [demoted, unsaved])
def test_refusing_redis_is_waited_for_and_logged_once(
    fragile: LiveStack, refusing: Refusing
) -> None:
    """As after a failover or a disk error: Redis answers and takes no writes."""
    assert fragile.serves()
    worker, log = fragile.pid("worker"), Log(fragile)
    with connect(fragile.redis_url) as client, refusing(client):
        assert_unavailable(timed(fragile, "POST", "/predict/async", json=BODY))
        until(lambda: log.count("Redis refuses writes"), "the outage seen")
        assert_rests(fragile, log)
    assert fragile.serves()
    assert fragile.pid("worker") == worker
    assert log.count("Redis refuses writes") == 1


def test_accepted_predictions_survive_refused_writes(fragile: LiveStack) -> None:
    """Computed predictions are held until they can be settled; the rest stays on the queue."""
    worker, log = fragile.pid("worker"), Log(fragile)
    with connect(fragile.redis_url) as client, ExitStack() as frozen:
        frozen.enter_context(fragile.frozen_pool())
        accepted = [fragile.submit("iris", ROW)["id"] for _ in range(50)]
        with unsaved(client):
            frozen.close()
            until(lambda: log.count("the ledger cannot be reached"), "a process that waits")
            until(lambda: log.count("heartbeats do not reach Redis"), "a silent beat")
            assert_rests(fragile, log)
    assert all(fragile.outcome(task_id)["status"] == "succeeded" for task_id in accepted)
    assert fragile.pid("worker") == worker


class Log:
    """What a worker logs from now on."""

    def __init__(self, stack: LiveStack) -> None:
        self._path = stack.home / "logs" / "worker.log"
        self._size = self._path.stat().st_size

    def count(self, words: str) -> int:
        return self._path.read_text()[self._size :].count(words)


def assert_rests(stack: LiveStack, log: Log) -> None:
    """Assert that a worker that waits for Redis neither polls nor logs continuously."""
    worker = psutil.Process(stack.pid("worker"))
    processes = [worker, *worker.children(recursive=True)]
    spent, lines = cpu_seconds(processes), log.count("\n")
    time.sleep(WHILE)
    assert cpu_seconds(processes) - spent < WHILE / 4
    assert log.count("\n") - lines <= 2


def cpu_seconds(processes: list[psutil.Process]) -> float:
    return sum(sum(process.cpu_times()[:2]) for process in processes)


def test_api_and_workers_start_without_redis_and_what_was_queued_is_answered(
    fragile: LiveStack,
) -> None:
    fragile.stop("worker")
    accepted = [fragile.submit("iris", ROW)["id"] for _ in range(50)]
    fragile.stop("api")
    with down(fragile):
        log = fragile.home / "logs" / "worker.log"
        size = log.stat().st_size
        fragile.launch("worker")
        fragile.start("api")
        assert timed(fragile, "GET", "/ready").status_code == 503
        until(lambda: "annot connect" in log.read_text()[size:], "the worker's first try")
    assert all(fragile.outcome(task_id)["status"] == "succeeded" for task_id in accepted)
    assert fragile.http.get("/ready").status_code == 200
