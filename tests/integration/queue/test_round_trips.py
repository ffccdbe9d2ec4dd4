"""Counts every command that is sent to Redis, so that an additional one fails a test."""

from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack

import pytest
import redis

from tasks.ledger.ledger import connect
from tests.integration.redis_monitor import CommandCounts, counted_commands, prepare_on_port
from tests.support.models import Doubling, register
from tests.support.stack import LiveStack, running, until

pytestmark = pytest.mark.slow

TIMES = 50
ROWS = [1.0, 0.0]


@pytest.fixture(scope="module")
def single(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveStack]:
    """A worker with one pool process; all connections are open and the scripts are loaded."""
    home = tmp_path_factory.mktemp("single")
    register(home, "doubling", Doubling(), [[1.0, 0.0]])
    with running(home, processes=1, forks=True, prepare=prepare_on_port) as stack:
        until(lambda: stack.predict("doubling", ROWS), "a first prediction")
        yield stack


@pytest.fixture
def client(single: LiveStack) -> Iterator[redis.Redis]:
    with connect(single.redis_url) as client:
        yield client


def all_done(client: redis.Redis) -> bool:
    return not client.llen("predict") and not client.hlen("predictq:reserved")


def submit(stack: LiveStack, path: str = "/predict/async", **headers: str) -> str:
    body = {"model": "doubling", "features": ROWS}
    answer = stack.http.post(path, json=body, headers=headers)
    assert answer.status_code in (200, 202), answer.text
    return str(answer.json()["id"])


def timer_commands(tap: CommandCounts) -> Counter[str]:
    """The most commands that a worker sends by its timers while the tap is open."""
    a_second = Counter(upkeep=2, heartbeat=1, reserve=1, BLMOVE=1, PUBLISH=2)
    # The stall watch looks for work (LLEN); connections are checked (PING, HELLO); directives to
    # load versions are read with each heartbeat (XRANGE).
    a_second += Counter(LLEN=1, PING=1, HELLO=1, XRANGE=1)
    # With each upkeep, the queues of deployments without a worker are looked for.
    a_second += Counter(alive=2, SMEMBERS=2, MULTI=1, EXEC=1)
    often = Counter({name: int(each * (tap.seconds + 2)) for name, each in a_second.items()})
    # kombu renews its queue bindings now and then with a script of its own.
    return often + Counter({name: 1 for name in tap.worker if "_kombu.binding" in name})


def commands_of_requests(tap: CommandCounts) -> Counter[str]:
    """What the API sent, without its look at Redis's memory once a second.

    That look may need a connection of its own (HELLO), which is kept.
    """
    assert tap.api.pop("INFO", 0) <= 1 + tap.seconds
    assert tap.api.pop("HELLO", 0) <= 1
    # What waited before is left a second later, and the subscription is looked at.
    assert tap.api.pop("PING", 0) <= 1 + tap.seconds
    assert tap.api.pop("UNSUBSCRIBE", 0) <= 1
    return tap.api


def test_submission_is_one_round_trip(single: LiveStack, client: redis.Redis) -> None:
    with single.frozen("worker"), counted_commands(single) as tap:
        for _ in range(TIMES):
            submit(single)
    assert commands_of_requests(tap) == {"accept": TIMES}
    until(lambda: all_done(client), "all done")


def test_submission_with_a_key_is_one_round_trip(single: LiveStack, client: redis.Redis) -> None:
    with single.frozen("worker"), counted_commands(single) as tap:
        for number in range(TIMES):
            submit(single, **{"Idempotency-Key": f"{number}"})
    assert commands_of_requests(tap) == {"accept": TIMES}
    until(lambda: all_done(client), "all done")


def test_look_up_of_an_outcome_is_one_round_trip(single: LiveStack) -> None:
    path = f"/predict/result/{submit(single)}"
    until(lambda: single.http.get(path).status_code == 200, "the outcome")
    with counted_commands(single) as tap:
        for _ in range(TIMES):
            single.http.get(path)
            single.http.get(path, headers={"Prefer": "wait=1"})
    assert commands_of_requests(tap) == {"GETRANGE": 2 * TIMES}


def test_look_up_of_a_queued_prediction_reads_the_queue_once_a_second(
    single: LiveStack, client: redis.Redis
) -> None:
    with single.frozen("worker"):
        path = f"/predict/result/{submit(single)}"
        with counted_commands(single) as tap:
            for _ in range(TIMES):
                assert single.http.get(path).json()["status"] == "queued"
    assert tap.api.pop("snapshot") <= 1 + tap.seconds
    assert commands_of_requests(tap) == {"GETRANGE": TIMES}
    until(lambda: all_done(client), "all done")


def test_waiting_submission_is_one_round_trip(single: LiveStack) -> None:
    """The outcome comes with its publication, over a subscription that all of them share."""
    submit(single, "/predict")
    with counted_commands(single) as tap:
        for _ in range(TIMES):
            submit(single, "/predict")
    late = tap.api.pop("GETRANGE", 0) + tap.api.pop("states", 0)
    assert late <= 3 * tap.seconds, "a look once a second, if one waits as long"
    assert commands_of_requests(tap) == {"accept": TIMES}


def test_microbatch_is_reserved_started_and_settled_in_one_round_trip_each(
    single: LiveStack, client: redis.Redis
) -> None:
    with ExitStack() as listening:
        with single.frozen("worker"):
            ids = [submit(single) for _ in range(1000)]
            tap = listening.enter_context(counted_commands(single))
        until(lambda: all_done(client), "all done")
    sizes = [single.outcome(task_id)["receipt"]["batch_size"] for task_id in ids]
    batches = round(sum(1 / size for size in sizes))
    assert batches < 200
    assert tap.api == {}
    assert tap.pool == {"start": batches, "settle": batches}
    taken = Counter(reserve=2 * batches, BLMOVE=batches)
    assert tap.worker <= taken + timer_commands(tap), "no one listens to task events"


def test_single_request_costs_few_round_trips(single: LiveStack, client: redis.Redis) -> None:
    with counted_commands(single) as tap:
        for _ in range(TIMES):
            submit(single)
            until(lambda: all_done(client), "done")
    assert commands_of_requests(tap) == {"accept": TIMES}
    starts = tap.pool.pop("start", 0)
    assert tap.pool == {"settle": TIMES}
    # A request that comes before the worker has said that it is idle takes the way over the queue.
    taken = Counter(note_idle=TIMES, reserve=2 * starts, BLMOVE=starts, PUBLISH=2 * TIMES)
    assert tap.worker <= taken + timer_commands(tap)
    assert starts < TIMES / 2
