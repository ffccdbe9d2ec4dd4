"""The drain rate of a queue, as the scripts measure it on a real Redis."""

import time

import msgspec
import pytest
import redis

from tasks.ledger import keys
from tasks.ledger.ledger import Ledger
from tasks.ledger.queue.queue_snapshot import QueueSnapshots
from tasks.ledger.queue.reservations import Reservations
from tasks.ledger.queue.workers import Workers
from tasks.settings import Settings
from telemetry.errors import QueueFull
from tests.integration.ledger.ledger_harness import GENEROUS, PREDICTION, offer

PAUSE = 0.05
"""Seconds between two reservations."""


@pytest.fixture
def reservations(client: redis.Redis) -> Reservations:
    return Reservations(client, 30, 60)


@pytest.fixture
def snapshots(client: redis.Redis) -> QueueSnapshots:
    return QueueSnapshots(client)


@pytest.fixture
def settings(tmp_path) -> Settings:
    return Settings(home=tmp_path, redis_url="", max_queued=40)


@pytest.fixture
def ledger(client: redis.Redis, settings: Settings) -> Ledger:
    return Ledger(client, settings)


def fill(ledger: Ledger, count: int, rows: int = 1) -> None:
    for _ in range(count):
        prediction = msgspec.structs.replace(
            PREDICTION, features=[[1.0]] * rows, created_at=time.time()
        )
        number = ledger.client.incr("number")
        ledger.accept(offer(str(number), prediction))


def drain(reservations: Reservations, times: int, each: int) -> None:
    """Reserve messages at a steady rate."""
    due = time.monotonic()
    for _ in range(times):
        due += PAUSE
        time.sleep(max(due - time.monotonic(), 0))
        assert len(reservations.reserve("predict", each, *GENEROUS)) == each


def test_drain_rate_is_measured_during_a_backlog(ledger, reservations, snapshots) -> None:
    fill(ledger, 40)
    drain(reservations, 15, each=2)
    assert snapshots.of("predict").rate == pytest.approx(2 / PAUSE, rel=0.3)


def test_drain_rate_ignores_idle_time(ledger, reservations, snapshots) -> None:
    fill(ledger, 40)
    drain(reservations, 20, each=2)
    assert reservations.reserve("predict", 2, *GENEROUS) == []
    time.sleep(10 * PAUSE)
    for _ in range(5):  # each is taken before the next comes
        fill(ledger, 1)
        drain(reservations, 1, each=1)
    assert snapshots.of("predict").rate == pytest.approx(2 / PAUSE, rel=0.3)


def test_drain_rate_is_unknown_before_a_backlog(ledger, reservations, snapshots) -> None:
    fill(ledger, 1)
    assert snapshots.of("predict").rate is None
    drain(reservations, 1, each=1)
    assert snapshots.of("predict").rate is None


def test_drain_rate_ignores_time_without_workers(ledger, reservations, snapshots) -> None:
    fill(ledger, 40)
    drain(reservations, 10, each=2)
    time.sleep(10 * PAUSE)
    meanwhile = snapshots.of("predict").rate
    reservations.begin("predict")
    drain(reservations, 5, each=2)
    assert meanwhile < 0.7 * 2 / PAUSE, "it falls while nobody takes anything"
    assert snapshots.of("predict").rate == pytest.approx(2 / PAUSE, rel=0.3)


def test_full_queue_says_when_it_has_capacity(ledger, reservations, snapshots) -> None:
    fill(ledger, 40)
    with pytest.raises(QueueFull) as unknown:
        fill(ledger, 1)
    assert unknown.value.extra["retry_after"] == 10
    drain(reservations, 20, each=1)
    fill(ledger, 20)
    with pytest.raises(QueueFull) as small:
        fill(ledger, 1)
    with pytest.raises(QueueFull) as large:
        fill(ledger, 1, rows=40)
    assert small.value.extra["retry_after"] == 1
    rows_per_second = snapshots.of("predict").rate
    assert large.value.extra["retry_after"] == pytest.approx(40 / rows_per_second, abs=1)


def test_queue_positions_after_a_return_and_a_purge(
    client, ledger, reservations, snapshots
) -> None:
    fill(ledger, 10)
    tags = [tag for tag, _ in reservations.reserve("predict", 4, *GENEROUS)]
    assert snapshots.of("predict").taken == 4
    reservations.release(tags)
    assert reservations.upkeep(()) == 4
    assert snapshots.of("predict").taken == 0
    fill(ledger, 1)
    assert ledger.record("11").number == 11
    client.delete("predict")
    fill(ledger, 1)
    assert ledger.record("12").number == 1


def test_reservations_are_counted_for_each_queue(client, ledger, reservations, snapshots) -> None:
    fill(ledger, 3)
    (tag, _), *_ = reservations.reserve("predict", 3, *GENEROUS)
    client.lpush("bulk", b"a step")
    reservations.reserve("bulk", 1, *GENEROUS)
    assert ledger.postpone([(tag, "1")], suspect=False) == ["postponed"]
    assert snapshots.of("predict").reserved == 2, "one waits for another try"
    assert snapshots.of("bulk").reserved == 1


def test_queue_snapshot_has_the_age_of_the_oldest_message(ledger, snapshots, client) -> None:
    assert snapshots.of("predict").oldest is None
    fill(ledger, 1)
    assert snapshots.of("predict").oldest is None, "an id that tells no time"
    made = f"{int((time.time() - 60) * 1000):012x}"
    ours = f"{made[:8]}-{made[8:]}-7000-8000-000000000000"
    client.rpush("predict", f'{{"headers":{{"id":"{ours}"}}}}')
    assert snapshots.of("predict").oldest == pytest.approx(60, abs=5)


def known_rate(client: redis.Redis, *, left: int = 0, ago: float = 0) -> None:
    """Two messages a second were taken, the last of them some seconds ago."""
    counts = {"drained": 20, "busy": 10, "left": left, "marked": client.time()[0] - ago}
    client.hset(f"{keys.QUEUED}predict", mapping=counts)


def test_drain_rate_falls_only_while_messages_wait(client, snapshots) -> None:
    known_rate(client, left=0, ago=90)
    assert snapshots.of("predict").rate == 2
    known_rate(client, left=1, ago=90)
    assert snapshots.of("predict").rate == pytest.approx(0.2, rel=0.05)


@pytest.mark.parametrize(("ago", "seconds"), [(0, 20), (90, 200), (-90, 20)])
def test_full_queue_counts_the_time_since_messages_were_taken(
    client, ledger, ago: int, seconds: int
) -> None:
    """Also if Redis's clock went back since."""
    fill(ledger, 40)
    known_rate(client, ago=ago)
    with pytest.raises(QueueFull) as large:
        fill(ledger, 1, rows=40)
    assert large.value.extra["retry_after"] == pytest.approx(seconds, rel=0.15)


def test_queue_full_of_bytes_says_when_it_has_capacity(client, settings) -> None:
    roomy = msgspec.structs.replace(settings, max_queued=10**6)
    fill(Ledger(client, roomy), 40)
    taken = int(client.hget(f"{keys.QUEUED}predict", "bytes"))
    ledger = Ledger(client, msgspec.structs.replace(roomy, max_queued_bytes=taken))
    known_rate(client)
    with pytest.raises(QueueFull) as small:
        fill(ledger, 1)
    assert small.value.extra["retry_after"] == 1


def test_queue_snapshot_has_the_live_workers(client, snapshots) -> None:
    for name in ("one", "two"):
        Workers(client).heartbeat(name, {"name": name, "queues": ["predict"]})
    assert [worker["name"] for worker in snapshots.of("predict").workers] == ["one", "two"]


def test_drain_rate_forgets_at_most_a_fifth_in_a_long_round(client, ledger, reservations) -> None:
    fill(ledger, 2)
    known_rate(client, left=1, ago=10)
    assert len(reservations.reserve("predict", 1, *GENEROUS)) == 1
    busy, drained = client.hmget(f"{keys.QUEUED}predict", "busy", "drained")
    assert float(busy) == pytest.approx(0.8 * 10 + 10, abs=1.5)
    assert float(drained) == 0.8 * 20 + 1


def test_drain_rate_pauses_when_another_worker_emptied_the_queue(client, reservations) -> None:
    known_rate(client, left=1)
    assert reservations.reserve("predict", 1, *GENEROUS) == []
    assert not client.hexists(f"{keys.QUEUED}predict", "left")
