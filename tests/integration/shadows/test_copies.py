"""Copies wait on the queue of batch jobs only if little waits there; comparisons are added up."""

from collections.abc import Iterator

import msgspec
import pytest
import redis

from tasks.jobs.messages import BULK
from tasks.ledger import keys
from tasks.messages import CopyOf, Prediction
from tasks.shadows.shadows import (
    COMPARED_KEPT,
    MAX_COPY_BYTES,
    MAX_EXAMPLES,
    MAX_WAITING,
    Compared,
    Disagreement,
    Shadows,
    deadline,
)

COPY = CopyOf("m@production", 7, 1, 0.01, [1])
KEY = keys.SHADOWED + "m@production:7"


def prediction(rows: int = 2, text: str = "") -> Prediction:
    return Prediction(
        model="m",
        version=2,
        alias=None,
        method="predict",
        features=[[text]] * rows,
        created_at=0.0,
        queue_deadline=deadline(),
        copy_of=COPY,
    )


@pytest.fixture
def shadows(client: redis.Redis) -> Iterator[Shadows]:
    def clear() -> None:
        client.delete(BULK, keys.QUEUED + BULK, *client.keys(keys.SHADOWED + "*"))

    clear()
    yield Shadows(client)
    clear()


def test_copies_are_counted_as_other_messages(shadows: Shadows, client: redis.Redis) -> None:
    shadows.send([prediction(), prediction(3)])
    messages = client.lrange(BULK, 0, -1)
    assert [msgspec.json.decode(each)["headers"]["rows"] for each in messages] == [3, 2]
    assert client.hget(keys.QUEUED + BULK, "rows") == b"5"
    assert client.hget(keys.QUEUED + BULK, "bytes") == b"%d" % sum(map(len, messages))


def test_copies_are_dropped_while_much_waits(shadows: Shadows, client: redis.Redis) -> None:
    client.rpush(BULK, *["step"] * (MAX_WAITING - 1))
    shadows.send([prediction()] * 3)
    assert client.llen(BULK) == MAX_WAITING
    assert shadows.read("m@production", 7) == Compared(dropped=2)
    assert 0 < client.ttl(KEY) <= COMPARED_KEPT


def test_long_copies_are_dropped(shadows: Shadows, client: redis.Redis) -> None:
    shadows.send([prediction(1, "x" * MAX_COPY_BYTES), prediction()])
    assert client.llen(BULK) == 1
    assert shadows.read("m@production", 7) == Compared(dropped=1)


def test_comparisons_are_added_up(shadows: Shadows, client: redis.Redis) -> None:
    for number in range(30):
        example = Disagreement([number], "predict", 1, 2)
        shadows.add(COPY, Compared(rows=10, disagreed=1), [example])
    assert shadows.read("m@production", 7) == Compared(rows=300, disagreed=30)
    assert shadows.read("m@production", 8) == Compared()
    examples = shadows.examples("m@production", 7)
    assert [each.row for each in examples] == [[29 - i] for i in range(MAX_EXAMPLES)]
    path = shadows.path("m@production", 7)
    assert path[0] == (10, 1)
    assert path[-1][0] > 250
    for key in client.scan_iter(KEY + "*"):
        assert 0 < client.ttl(key) <= COMPARED_KEPT
