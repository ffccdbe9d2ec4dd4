"""The scripts of the ledger, each branch, against a real Redis."""

from collections.abc import Iterator

import msgspec
import pytest
import redis
from celery import states

from cli import redis_server
from cli.process import Process
from tasks.ledger import keys
from tasks.ledger.backend import cancelled, outcome
from tasks.ledger.ledger import Ledger, connect
from tasks.messages import Idempotency, Prediction
from tasks.record import Answer, Receipt, Record
from telemetry.errors import IdempotencyConflict, ModelError, QueueFull
from tests.stack import until

PREDICTION = Prediction(
    model="churn", version=3, alias=None, method="predict", features=[[1.0]], created_at=1.8e9
)
RECEIPT = Receipt(
    model="churn",
    version=3,
    sha256="0" * 64,
    alias=None,
    attempt=1,
    queue_ms=1.0,
    compute_ms=1.0,
    batch_size=1,
    runtime="none",
)
TTL = 60


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[redis.Redis]:
    home = tmp_path_factory.mktemp("redis")
    server = redis_server.prepare(home)
    process = Process(server.program(), home / "redis.log")
    until(server.program().ready, "redis ready")
    yield connect(server.url)
    process.kill()


@pytest.fixture
def ledger(client: redis.Redis) -> Ledger:
    client.flushall()
    return Ledger(client, TTL)


def _accepted(ledger: Ledger, task_id: str = "a") -> Record:
    record = Record.queued(task_id, PREDICTION)
    ledger.accept("predict", record, b"message", bound=10)
    return record


def test_accepting_writes_the_record_and_pushes_the_message(ledger) -> None:
    record = _accepted(ledger)

    assert ledger.record("a") == record
    assert ledger.client.lrange("predict", 0, -1) == [b"message"]
    assert ledger.client.ttl(keys.record("a")) == -1, "a queued record never expires by itself"


def test_accepting_twice_pushes_once(ledger) -> None:
    _accepted(ledger)
    _accepted(ledger)

    assert ledger.depths(("predict",))["predict"] == 1


def test_a_full_queue_refuses_and_leaves_no_trace(ledger) -> None:
    _accepted(ledger, "a")

    with pytest.raises(QueueFull):
        ledger.accept("predict", Record.queued("b", PREDICTION), b"message", bound=1)

    assert ledger.record("b") is None
    assert ledger.depths(("predict",))["predict"] == 1


def test_a_known_key_gives_the_id_of_before_and_pushes_nothing(ledger) -> None:
    key = Idempotency("k", "payload")

    first, second = (
        ledger.accept("predict", Record.queued(i, PREDICTION), b"message", 10, key) for i in "ab"
    )

    assert (first, second) == ("a", "a")
    assert ledger.record("b") is None
    assert ledger.depths(("predict",))["predict"] == 1
    assert 0 < ledger.client.ttl(keys.IDEMPOTENCY + "k") <= TTL


def test_a_known_key_with_another_payload_is_a_conflict(ledger) -> None:
    ledger.accept("predict", Record.queued("a", PREDICTION), b"", 10, Idempotency("k", "one"))

    with pytest.raises(IdempotencyConflict):
        ledger.accept("predict", Record.queued("b", PREDICTION), b"", 10, Idempotency("k", "two"))

    assert ledger.record("b") is None


def test_a_refused_submission_does_not_use_up_its_key(ledger) -> None:
    key = Idempotency("k", "payload")
    with pytest.raises(QueueFull):
        ledger.accept("predict", Record.queued("a", PREDICTION), b"", 0, key)

    assert ledger.accept("predict", Record.queued("b", PREDICTION), b"", 1, key) == "b"


def test_starting_counts_attempts_and_shows_the_prediction_running(ledger) -> None:
    queued = _accepted(ledger)

    assert [ledger.start("a"), ledger.start("a")] == [1, 2]
    assert ledger.record("a") == msgspec.structs.replace(queued, status="STARTED", state="running")


def test_a_prediction_that_has_its_outcome_does_not_start(ledger) -> None:
    ledger.settle(cancelled(_accepted(ledger)))

    assert ledger.start("a") == 0
    assert not ledger.client.exists(keys.ATTEMPTS)


def test_a_stock_producers_message_starts_without_a_record(ledger) -> None:
    assert ledger.start("stock") == 1


@pytest.mark.parametrize("started", [False, True])
def test_the_first_outcome_stands_whoever_comes_late(ledger, started) -> None:
    record = _accepted(ledger)
    if started:
        ledger.start("a")
    first = outcome(record, Answer([7], RECEIPT), states.SUCCESS)
    late = outcome(record, ModelError("late"), states.FAILURE)

    assert [ledger.settle(first), ledger.settle(late)] == [True, False]

    assert ledger.record("a") == first
    (statistics,) = ledger.statistics()
    assert statistics.outcomes == {"succeeded": 1, "failed": 0, "cancelled": 0}


def test_settling_sets_the_time_to_live_and_forgets_the_attempts(ledger) -> None:
    record = _accepted(ledger)
    ledger.start("a")

    ledger.settle(outcome(record, ModelError("no"), states.FAILURE))

    assert 0 < ledger.client.ttl(keys.record("a")) <= TTL
    assert not ledger.client.exists(keys.ATTEMPTS)


def test_settling_wakes_who_waits_with_the_record_itself(ledger) -> None:
    record = _accepted(ledger)
    listener = ledger.client.pubsub()
    listener.subscribe(keys.record("a"))
    assert listener.get_message(timeout=5)["type"] == "subscribe"

    ledger.settle(cancelled(record))

    published = listener.get_message(timeout=5)["data"]
    assert published == ledger.client.get(keys.record("a"))


def test_a_worker_counts_from_its_heartbeat_to_its_farewell(ledger) -> None:
    ledger.loaded("host:1", "churn:3")
    ledger.heartbeat("host:1", {"name": "one"})
    ledger.heartbeat("host:2", {"name": "two"})

    assert ledger.workers() == [
        {"name": "one", "loaded": ["churn:3"]},
        {"name": "two", "loaded": []},
    ]
    ledger.farewell("host:1")
    assert [worker["name"] for worker in ledger.workers()] == ["two"]


def test_a_worker_that_fell_silent_does_not_count_and_is_forgotten(ledger) -> None:
    ledger.heartbeat("gone", {"name": "gone"})
    ledger.client.zadd(keys.WORKERS_SEEN, {"gone": 1})

    assert ledger.workers() == []
    ledger.heartbeat("here", {"name": "here"})
    assert ledger.client.hkeys(keys.WORKERS) == [b"here"]


def test_each_question_costs_one_round_trip(ledger) -> None:
    record = _accepted(ledger)
    settled = outcome(record, Answer([7], RECEIPT), states.SUCCESS)
    ledger.start("a")
    ledger.settle(settled)
    ledger.client.config_resetstat()

    _accepted(ledger, "b")
    ledger.start("b")
    ledger.settle(msgspec.structs.replace(settled, task_id="b"))
    ledger.record("b")

    stats = ledger.client.info("stats")
    asked = ledger.client.info("commandstats")
    assert asked["cmdstat_evalsha"]["calls"] == 3
    assert "cmdstat_eval" not in asked
    assert asked["cmdstat_get"]["calls"] - 2 == 1, "two inside the scripts, one to look"
    assert stats["rejected_connections"] == 0
