"""Thousands of callers wait at once: each is a coroutine, which holds little and no thread."""

import resource
from collections import Counter
from collections.abc import Iterator

import psutil
import pytest
import redis

from tasks.ledger import keys
from tests.integration.waiting.waiting_callers import WaitingCallers, get, post, waiting_callers
from tests.support.models import Doubling, register
from tests.support.stack import LiveStack, running, until

pytestmark = pytest.mark.slow

MANY, SOME = 2000, 200
MOST_BYTES = 50 * 1024
"""Memory of the API for each caller that waits."""
FEW_THREADS = 8
"""Threads that may come while thousands wait: those that read the state of the queue."""


@pytest.fixture(scope="module")
def doubling(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveStack]:
    home = tmp_path_factory.mktemp("waits")
    register(home, "doubling", Doubling(), [[1.0, 0.0]])
    with running(home, PREDICTQ_VISIBILITY_TIMEOUT="5") as stack:
        until(lambda: stack.predict("doubling", [1.0, 0.0]), "a first prediction")
        assert stack.http.post("/predict", json=asked(1)).json()["predictions"] == [2.0]
        yield stack


@pytest.fixture
def callers(doubling: LiveStack) -> Iterator[WaitingCallers]:
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    with waiting_callers(doubling.parts.port) as callers:
        yield callers


def asked(number: int) -> dict[str, object]:
    return {"model": "doubling", "features": [[number, 0.0]]}


def accepted(stack: LiveStack) -> int:
    told = stack.http.get("/stats").json()
    return int(told["queues"]["predict"] + told["reserved"])


def api(stack: LiveStack) -> psutil.Process:
    """The process that answers: the child of the one that holds the socket."""
    return max(
        psutil.Process(stack.pid("api")).children(), key=lambda process: process.memory_info().rss
    )


def test_thousands_of_waits_hold_little_memory_and_no_thread(
    doubling: LiveStack, callers: WaitingCallers
) -> None:
    with doubling.frozen("worker"):
        process = api(doubling)
        memory, threads = process.memory_info().rss, process.num_threads()
        callers.send([post("/predict", asked(number)) for number in range(MANY)])
        until(lambda: accepted(doubling) == MANY, "all are accepted")
        assert process.memory_info().rss - memory < MANY * MOST_BYTES
        assert process.num_threads() <= threads + FEW_THREADS
        assert doubling.http.get("/health").status_code == 200
    answers = callers.answers()
    assert Counter(answer.status for answer in answers) == {200: MANY}
    assert [answer.body["predictions"] for answer in answers] == [[2.0 * n] for n in range(MANY)]


@pytest.mark.parametrize("outage", ["killed", "frozen"])
def test_waits_without_redis_are_answered_with_their_ids(
    doubling: LiveStack, callers: WaitingCallers, outage: str
) -> None:
    with doubling.frozen("worker"):
        callers.send([post("/predict", asked(number)) for number in range(SOME)])
        until(lambda: accepted(doubling) == SOME, "all are accepted")
        if outage == "killed":
            doubling.kill("redis")
            answers = callers.answers()
            doubling.start("redis")
        else:
            with doubling.frozen("redis"):
                answers = callers.answers()
    assert Counter(answer.status for answer in answers) == {202: SOME}
    assert all(b"preference-applied" not in answer.head for answer in answers)
    for number, answer in enumerate(answers):
        outcome = doubling.outcome(answer.body["id"], within=60)
        assert outcome["predictions"] == [2.0 * number]


def test_wait_hears_again_after_an_outage(doubling: LiveStack) -> None:
    doubling.kill("redis")
    doubling.start("redis")
    until(lambda: doubling.http.post("/predict", json=asked(3)).status_code == 200, "an outcome")


def test_waits_are_answered_with_202_when_the_process_shuts_down(
    doubling: LiveStack, callers: WaitingCallers
) -> None:
    with doubling.frozen_pool():
        callers.send([post("/predict", asked(number), Prefer="wait=30") for number in range(SOME)])
        until(lambda: accepted(doubling) == SOME, "all are accepted")
        doubling.stop("api")
        answers = callers.answers()
    doubling.start("api")
    assert Counter(answer.status for answer in answers) == {202: SOME}
    for number, answer in enumerate(answers):
        assert doubling.outcome(answer.body["id"])["predictions"] == [2.0 * number]


def test_wait_of_a_client_that_has_left_is_given_up(
    doubling: LiveStack, callers: WaitingCallers
) -> None:
    with doubling.frozen_pool():
        pending = doubling.submit("doubling", [1.0, 0.0])
        callers.send([get(f"/predict/result/{pending['id']}", Prefer="wait=30")])
        with redis.Redis.from_url(doubling.redis_url) as client:
            channel = keys.record(pending["id"])
            until(lambda: client.pubsub_numsub(channel)[0][1], "one that waits")
            callers.leave()
            until(lambda: not client.pubsub_numsub(channel)[0][1], "the end of the wait", 10)
    assert doubling.outcome(pending["id"])["predictions"] == [2.0]
