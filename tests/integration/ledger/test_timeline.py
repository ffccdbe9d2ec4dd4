"""Minutes are recorded once, and kept for three days."""

import pytest
import redis

from tasks.ledger import keys
from tasks.messages import PREDICT_QUEUE
from tasks.timeline import timeline
from tasks.timeline.call_sums import CallSums, read_calls
from tasks.timeline.recording import Recorder
from tasks.timeline.timeline import Timeline
from tests.unit.clock import Clock
from workers.compute.call_counter import ADD_SECONDS, CallCounter


def due(client: redis.Redis) -> None:
    client.delete(keys.TIMELINE_CLAIM)


def count(client: redis.Redis, succeeded: int) -> None:
    client.sadd(keys.ANSWERED, "churn:3")
    fields = {
        "succeeded": succeeded,
        "rows": succeeded,
        "seconds": 0.25 * succeeded,
        "7": succeeded,
    }
    client.hset(keys.STATISTICS + "churn:3", mapping=fields)


def test_one_recorder_records_each_minute(client: redis.Redis) -> None:
    one, other = Recorder(client), Recorder(client)
    count(client, 4)
    assert one.record_if_due(1000.0)
    assert not other.record_if_due(1001.0)
    assert 59_000 < client.pttl(keys.TIMELINE_CLAIM) < 60_000
    assert Timeline(client).minutes(0, 2000) == []  # when it was counted is not known
    count(client, 10)
    client.rpush(PREDICT_QUEUE, "a", "b")
    due(client)
    assert other.record_if_due(1060.0)  # goes on from what the first one has seen
    (minute,) = Timeline(client).minutes(1000, 1060)
    assert minute.versions["churn:3"].outcomes == {"succeeded": 6}
    assert minute.versions["churn:3"].histogram == {7: 6}
    assert (minute.accepted, minute.host.depth) == (2, 2)
    assert minute.host.redis_bytes > 0
    assert Timeline(client).minutes(1060, 2000) == Timeline(client).minutes(0, 1059) == []


def test_old_minutes_are_dropped(client: redis.Redis, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(timeline, "KEPT_MINUTES", 2)
    recorder = Recorder(client)
    for number in range(5):
        due(client)
        recorder.record_if_due(1000.0 + 60 * number)
    assert [minute.at for minute in Timeline(client).minutes(0, 9999)] == [1180.0, 1240.0]


def test_calls_of_processes_are_added_up(client: redis.Redis) -> None:
    clock = Clock()
    counters = [CallCounter(client, clock.monotonic), CallCounter(client, clock.monotonic)]
    for counter in counters:
        counter.note("churn:3", 2, 10, 0.5, 1.25)
        counter.note("churn:3", 1, 20, 0.25, 2.0)
        counter.write_if_due()
        assert counter.waits
    clock.now += ADD_SECONDS + 1
    for counter in counters:
        counter.write_if_due()
        assert not counter.waits
    assert client.ttl(keys.CALLS + "churn:3") > 0  # the version may be removed by now
    once = CallSums(2, 3, 30, 750_000, 3250, 500, 10 * 1250 + 20 * 2000)
    assert read_calls(client, ["churn:3", "iris:1"]) == [once + once, CallSums()]
