"""The ledger's scripts for predictions, each branch, against a real Redis."""

import msgspec
import pytest
import redis

from tasks.clocks import BACKOFF, MAX_ATTEMPTS
from tasks.ledger import keys
from tasks.ledger.acceptance import Offer
from tasks.ledger.ledger import Ledger
from tasks.ledger.reservations import Reservations
from tasks.ledger.settlement import Settled
from tasks.messages import Idempotency, Prediction, envelope
from tasks.record import Receipt, Record
from tasks.settings import Settings
from telemetry.errors import IdempotencyConflict, ModelError, QueueFull

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


@pytest.fixture
def ledger(client: redis.Redis, settings: Settings) -> Ledger:
    client.flushall()
    return Ledger(client, settings)


@pytest.fixture
def reservations(client: redis.Redis) -> Reservations:
    return Reservations(client, 30)


@pytest.fixture
def settings() -> Settings:
    return Settings(home="/none", redis_url="", result_ttl=TTL, max_queued=10)


def accept(ledger: Ledger, task_id: str = "a", key: Idempotency | None = None) -> str:
    record = Record.queued(task_id, PREDICTION)
    message = envelope("t", task_id, "predict", PREDICTION)
    return ledger.accept(Offer("predict", record, message, 1, key))


def reserve(reservations: Reservations, ledger: Ledger, *ids: str) -> list[tuple[str, str]]:
    """Accept these, and give the tag and id of each once it is reserved."""
    for task_id in ids:
        accept(ledger, task_id)
    taken = reservations.reserve("predict", len(ids), 1000, 10**6)
    return [(tag, task_id) for (tag, _), task_id in zip(taken, ids, strict=True)]


def queued(ledger: Ledger) -> int:
    return ledger.depths(("predict",))[0]["predict"]


def test_accepting_writes_the_record_and_pushes_the_message(ledger) -> None:
    accept(ledger)

    queued = Record.queued("a", PREDICTION)
    assert ledger.record("a") == msgspec.structs.replace(queued, number=1)
    assert ledger.client.lrange("predict", 0, -1) == [envelope("t", "a", "predict", PREDICTION)]
    assert ledger.client.ttl(keys.record("a")) == -1, "a queued record never expires by itself"


def test_accepting_twice_pushes_once(ledger) -> None:
    accept(ledger)
    accept(ledger)

    assert queued(ledger) == 1


def test_a_queue_full_of_rows_refuses_and_leaves_no_trace(ledger) -> None:
    for number in range(10):
        accept(ledger, f"{number}")

    with pytest.raises(QueueFull):
        accept(ledger, "b")

    assert ledger.record("b") is None
    assert queued(ledger) == 10


def test_a_queue_full_of_bytes_refuses_too(client, settings) -> None:
    client.flushall()
    size = len(envelope("t", "a", "predict", PREDICTION))
    narrow = Ledger(client, msgspec.structs.replace(settings, max_queued_bytes=2 * size + 1))
    accept(narrow, "a")
    accept(narrow, "b")

    with pytest.raises(QueueFull):
        accept(narrow, "c")


def test_what_was_reserved_or_purged_makes_room(ledger, reservations) -> None:
    for number in range(10):
        accept(ledger, f"{number}")
    reservations.reserve("predict", 3, 1000, 10**6)
    for number in range(3):
        accept(ledger, f"again {number}")
    with pytest.raises(QueueFull):
        accept(ledger, "b")

    ledger.client.delete("predict")

    assert accept(ledger, "b") == "b"


def test_a_known_key_gives_the_id_of_before_and_pushes_nothing(ledger) -> None:
    key = Idempotency("k", "payload")

    assert [accept(ledger, "a", key), accept(ledger, "b", key)] == ["a", "a"]

    assert ledger.record("b") is None
    assert queued(ledger) == 1
    assert 0 < ledger.client.ttl(keys.IDEMPOTENCY + "k") <= TTL


def test_a_known_key_with_another_payload_is_a_conflict(ledger) -> None:
    accept(ledger, "a", Idempotency("k", "one"))

    with pytest.raises(IdempotencyConflict):
        accept(ledger, "b", Idempotency("k", "two"))

    assert ledger.record("b") is None


def test_a_refused_submission_does_not_use_up_its_key(client, settings) -> None:
    client.flushall()
    key = Idempotency("k", "payload")
    with pytest.raises(QueueFull):
        accept(Ledger(client, msgspec.structs.replace(settings, max_queued=0)), "a", key)

    assert accept(Ledger(client, settings), "b", key) == "b"


def test_starting_counts_attempts_and_shows_the_prediction_running(ledger, reservations) -> None:
    batch = reserve(reservations, ledger, "a")

    assert [ledger.start(batch), ledger.start(batch)] == [[1], [2]]

    running = msgspec.structs.replace(
        Record.queued("a", PREDICTION), status="STARTED", state="running", number=1
    )
    assert ledger.record("a") == running


def test_a_prediction_that_has_its_outcome_does_not_start_and_its_message_goes(
    ledger, reservations
) -> None:
    batch = reserve(reservations, ledger, "a", "b")
    ledger.settle("churn:3", [Settled(ledger.record("a").cancelled())])

    assert ledger.start(batch) == [0, 1]
    assert ledger.client.hkeys(keys.RESERVED) == [batch[1][0].encode()]
    assert ledger.client.hkeys(keys.ATTEMPTS) == [b"b"]


def test_a_reservation_that_was_taken_away_does_not_start(ledger, reservations) -> None:
    """The worker slept longer than the visibility timeout: another has the message now."""
    batch = reserve(reservations, ledger, "a")
    reservations.release(batch[0][:1])
    assert reservations.upkeep([]) == 1

    assert ledger.start(batch) == [0]
    assert queued(ledger) == 1


def test_a_suspect_starts_alone_only(ledger, reservations) -> None:
    batch = reserve(reservations, ledger, "a", "b")
    ledger.start(batch[:1])  # and its process dies

    assert ledger.start(batch) == [-1, 1]
    assert ledger.start(batch[:1]) == [2]


def test_a_stock_producers_message_starts_without_a_record(ledger, reservations) -> None:
    ledger.client.lpush("predict", "whatever")
    ((tag, _),) = reservations.reserve("predict", 5, 1000, 10**6)

    assert ledger.start([(tag, "stock")]) == [1]


def postponed(ledger, tag: str) -> bytes:
    """The tag that a postponed message has now."""
    (now,) = ledger.client.hkeys(keys.RESERVED)
    assert now != tag.encode()
    return now


def test_a_postponed_prediction_shows_it_and_goes_back_when_its_time_has_come(
    ledger, reservations
) -> None:
    ((tag, _),) = batch = reserve(reservations, ledger, "a")
    ledger.start(batch)

    assert ledger.postpone(batch, suspect=True) == ["postponed"]

    assert (ledger.record("a").state, ledger.record("a").status) == ("retrying", "RETRY")
    new = postponed(ledger, tag)
    assert reservations.upkeep([tag]) == 0, "whoever held it cannot keep it"
    delay = ledger.client.zscore(keys.DUE, new) - ledger.client.time()[0]
    assert -1 < delay < BACKOFF + 1
    ledger.client.zadd(keys.DUE, {new: 0})
    assert reservations.upkeep([tag]) == 1
    ((again, _),) = reservations.reserve("predict", 1, 1000, 10**6)
    assert ledger.start([(again, "a")]) == [2]
    assert ledger.record("a").state == "running"


def test_the_pauses_double_and_end(ledger, reservations) -> None:
    ((tag, _),) = reserve(reservations, ledger, "a")
    for attempt in range(1, MAX_ATTEMPTS):
        assert ledger.start([(tag, "a")]) == [attempt]
        seconds, parts = ledger.client.time()
        assert ledger.postpone([(tag, "a")], suspect=True) == ["postponed"]
        tag = postponed(ledger, tag).decode()
        delay = ledger.client.zscore(keys.DUE, tag) - seconds - parts / 1e6
        assert BACKOFF * 2 ** (attempt - 1) <= delay < BACKOFF * 2 ** (attempt - 1) + 1
    assert ledger.start([(tag, "a")]) == [MAX_ATTEMPTS]
    assert ledger.postpone([(tag, "a")], suspect=True) == ["last"]
    assert ledger.record("a").state == "running"


def test_a_message_whose_process_dies_before_it_starts_comes_to_an_end_too(
    ledger, reservations
) -> None:
    ((tag, _),) = reserve(reservations, ledger, "a")
    for _ in range(1, MAX_ATTEMPTS):
        assert ledger.postpone([(tag, "a")], suspect=True) == ["postponed"]
        tag = postponed(ledger, tag).decode()
    assert ledger.postpone([(tag, "a")], suspect=True) == ["last"]


@pytest.mark.parametrize(("suspect", "attempts"), [(True, [-1, 1]), (False, [2, 1])])
def test_only_a_suspect_is_started_alone(ledger, reservations, suspect, attempts) -> None:
    ((tag, _),) = first = reserve(reservations, ledger, "a")
    ledger.start(first)
    ledger.postpone(first, suspect=suspect)
    tag = postponed(ledger, tag).decode()
    other = reserve(reservations, ledger, "b")

    assert ledger.start([(tag, "a"), *other]) == attempts


def test_what_has_its_outcome_is_not_postponed_and_its_message_goes(ledger, reservations) -> None:
    batch = reserve(reservations, ledger, "a")
    ledger.start(batch)
    ledger.settle("churn:3", [Settled(ledger.record("a").cancelled())])

    assert ledger.postpone(batch, suspect=True) == ["gone"]
    assert not ledger.client.exists(keys.RESERVED, keys.DUE, keys.ATTEMPTS)
    assert ledger.record("a").state == "cancelled"


def test_what_was_taken_away_is_left_to_who_has_it_now(ledger, reservations) -> None:
    ((tag, _),) = batch = reserve(reservations, ledger, "a")
    reservations.release([tag])
    reservations.upkeep([])
    taken = reservations.reserve("predict", 1, 1000, 10**6)

    assert ledger.postpone(batch, suspect=True) == ["gone"]
    assert [tag.encode() for tag, _ in taken] == ledger.client.hkeys(keys.RESERVED)


def test_what_is_cancelled_while_it_waits_for_another_try_is_not_started(
    ledger, reservations
) -> None:
    ((tag, _),) = batch = reserve(reservations, ledger, "a")
    ledger.start(batch)
    ledger.postpone(batch, suspect=True)
    assert ledger.settle("churn:3", [Settled(ledger.record("a").cancelled())]) == 1

    assert ledger.start([(postponed(ledger, tag).decode(), "a")]) == [0]
    assert not ledger.client.exists(keys.RESERVED, keys.DUE, keys.ATTEMPTS)


@pytest.mark.parametrize("state", ["queued", "running", "retrying", "cancelled"])
def test_only_what_waits_can_expire(ledger, reservations, state) -> None:
    batch = reserve(reservations, ledger, "a")
    if state != "queued":
        ledger.start(batch)
    if state == "retrying":
        ledger.postpone(batch, suspect=False)
    if state == "cancelled":
        ledger.settle("churn:3", [Settled(ledger.record("a").cancelled())])

    ledger.expire(Record.queued("a", PREDICTION))

    waits = state in ("queued", "retrying")
    assert ledger.record("a").state == ("expired" if waits else state)
    assert ledger.client.hexists(keys.ATTEMPTS, "a") == (state == "running")


def test_a_full_redis_lets_workers_postpone(ledger, reservations) -> None:
    batch = reserve(reservations, ledger, "a")
    ledger.start(batch)
    ledger.client.config_set("maxmemory", 1)
    try:
        assert ledger.postpone(batch, suspect=True) == ["postponed"]
    finally:
        ledger.client.config_set("maxmemory", 0)
    assert ledger.record("a").state == "retrying"


@pytest.mark.parametrize("started", [False, True])
def test_the_first_outcome_stands_whoever_comes_late(ledger, reservations, started) -> None:
    ((tag, _),) = batch = reserve(reservations, ledger, "a")
    record = ledger.record("a")
    if started:
        ledger.start(batch)
    first, late = record.succeeded([7], RECEIPT), record.failed(ModelError("late"))

    assert ledger.settle("churn:3", [Settled(first, tag)]) == 1
    assert ledger.settle("churn:3", [Settled(late, tag)]) == 0

    assert ledger.record("a") == first
    (statistics,) = ledger.statistics()
    assert statistics.rows == 1
    assert statistics.outcomes == {"succeeded": 1, "failed": 0, "cancelled": 0, "expired": 0}


def test_settling_a_batch_drops_its_messages_and_counts_each_outcome(ledger, reservations) -> None:
    batch = reserve(reservations, ledger, "a", "b", "c")
    ledger.start(batch)
    a, b, c = (ledger.record(task_id) for _, task_id in batch)
    outcomes = a.succeeded([7], RECEIPT), b.failed(ModelError("no")), c.expired()

    settled = [Settled(outcome, tag) for outcome, (tag, _) in zip(outcomes, batch, strict=True)]
    assert ledger.settle("churn:3", settled) == 3

    assert ledger.depths(("predict",)) == ({"predict": 0}, 0)
    assert not ledger.client.exists(keys.ATTEMPTS, keys.DUE)
    assert all(0 < ledger.client.ttl(keys.record(task_id)) <= TTL for _, task_id in batch)
    (statistics,) = ledger.statistics()
    assert statistics.outcomes == {"succeeded": 1, "failed": 1, "cancelled": 0, "expired": 1}
    assert sum(statistics.histogram) == 3


def test_a_full_redis_lets_workers_start_and_settle(ledger, reservations) -> None:
    batch = reserve(reservations, ledger, "a", "b")
    records = [ledger.record(task_id) for _, task_id in batch]
    ledger.client.config_set("maxmemory", 1)
    try:
        with pytest.raises(redis.OutOfMemoryError):
            ledger.client.set("anything", 1)
        assert ledger.start(batch) == [1, 1]
        answers = zip(records, batch, strict=True)
        settled = [Settled(r.succeeded([7], RECEIPT), tag) for r, (tag, _) in answers]
        assert ledger.settle("churn:3", settled) == 2
    finally:
        ledger.client.config_set("maxmemory", 0)
    assert {ledger.record(task_id).state for _, task_id in batch} == {"succeeded"}


def test_settling_wakes_who_waits_with_the_record_itself(ledger) -> None:
    accept(ledger)
    listener = ledger.client.pubsub()
    listener.subscribe(keys.record("a"))
    assert listener.get_message(timeout=5)["type"] == "subscribe"

    ledger.settle("churn:3", [Settled(ledger.record("a").cancelled())])

    published = listener.get_message(timeout=5)["data"]
    assert published == ledger.client.get(keys.record("a"))


def test_a_batch_costs_three_round_trips_whatever_its_size(ledger, reservations) -> None:
    """Reserve, start, settle: scripts, by their hash."""
    ids = [f"{number}" for number in range(10)]
    warm = reserve(reservations, ledger, "warm")
    ledger.start(warm)
    ledger.settle("churn:3", [Settled(ledger.record("warm").expired(), warm[0][0])])
    for task_id in ids:
        accept(ledger, task_id)
    records = [ledger.record(task_id) for task_id in ids]
    ledger.client.config_resetstat()

    taken = reservations.reserve("predict", 256, 1000, 10**6)
    batch = [(tag, task_id) for (tag, _), task_id in zip(taken, ids, strict=True)]
    ledger.start(batch)
    answers = zip(records, batch, strict=True)
    ledger.settle("churn:3", [Settled(r.succeeded([7], RECEIPT), tag) for r, (tag, _) in answers])

    asked = ledger.client.info("commandstats")
    assert asked["cmdstat_evalsha"]["calls"] == 3
    assert {"cmdstat_eval", "cmdstat_script|load", "cmdstat_script"}.isdisjoint(asked)
    inside = sum(command["calls"] for command in asked.values())
    assert inside <= 10 * 6 + 30, "six commands a prediction, and so many a batch"
