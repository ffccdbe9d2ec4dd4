"""Ten thousand mutated messages: the worker survives, and each message is settled or put aside."""

import json
import random
import re
import time
from base64 import b64decode
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
import redis
from msgspec.structs import replace

from tasks.ids import Ids
from tasks.ledger import keys
from tasks.ledger.ledger import connect
from tasks.messages import Arm, CopyOf, Prediction, envelope
from tasks.prediction import predict
from tests.support.models import Doubling, register
from tests.support.mutations import mutated
from tests.support.stack import LiveStack, is_idle, running, until

pytestmark = pytest.mark.slow

EACH = 5_000
"""Messages of a round. Those for a version that is not there are postponed for half a minute."""
LONG_AGO = 24 * 3600
"""Seconds that an outcome is kept."""
PREDICTION = Prediction(
    model="doubling",
    version=1,
    alias=None,
    method="predict",
    features=[[1.0, 0.0]],
    created_at=1_800_000_000.0,
)
FULL = replace(
    PREDICTION,
    alias="production",
    arm=Arm(50, "0123456789abcdef"),
    tenant="risk",
    timeout_seconds=60.0,
    queue_deadline=4_000_000_000.0,
    copy_of=CopyOf("doubling@production", 1, 1, 0.0, [2.0]),
)
"""All that a message of ours may have."""


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveStack]:
    home = tmp_path_factory.mktemp("fuzzed")
    register(home, "doubling", Doubling(), [[1.0, 0.0]])
    with running(home, forks=True) as stack:
        assert stack.predict("doubling", [1.0, 0.0]) == [2.0]
        yield stack


@pytest.fixture
def client(stack: LiveStack) -> Iterator[redis.Redis]:
    """Afterwards, the worker process is the same, answers, and holds no messages.

    Its pool processes may have changed: a mutated, very short time limit ends one.
    """
    worker, processes = stack.pid("worker"), len(stack.pool())
    with connect(stack.redis_url, timeout=10) as client:
        client.delete(keys.DEAD_LETTERS)
        yield client
        assert stack.predict("doubling", [2.0, 0.0]) == [4.0]
        assert client.hlen(keys.RESERVED) == client.zcard(keys.DUE) == client.llen("predict") == 0
    assert stack.is_running("worker")
    assert stack.pid("worker") == worker
    until(lambda: len(stack.pool()) == processes, "the whole pool")


@pytest.fixture(scope="module")
def ids(stack: LiveStack) -> Ids:
    return Ids((stack.home / "id.key").read_bytes())


def message(task_id: str, prediction: Prediction = PREDICTION) -> bytes:
    """A message as our front end writes it."""
    return envelope(predict.name, task_id, "predict", prediction)


def dead_letters(client: redis.Redis) -> set[bytes]:
    """The content of all dead letters."""
    letters = [json.loads(letter) for letter in client.hvals(keys.DEAD_LETTERS)]
    return {
        b64decode(letter["message"]) if "encoding" in letter else letter["message"].encode()
        for letter in letters
    }


def settled(client: redis.Redis, task_ids: list[Any]) -> list[bool]:
    """For each id, whether it has an outcome."""
    found = client.mget([keys.record(str(i)).encode(errors="replace") for i in task_ids])
    ends = {"succeeded", "failed", "cancelled", "expired"}
    return [text is not None and json.loads(text)["state"] in ends for text in found]


def id_of(text: bytes) -> Any:
    """The id that a worker reads from the message; None if it cannot."""
    try:
        return json.loads(text)["headers"]["id"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return None


def is_gone(task_id: Any) -> bool:
    """Whether an id is so old, by its own time, that its outcome has expired."""
    told = re.match("([0-9a-f]{8})-([0-9a-f]{4})-7", str(task_id), re.IGNORECASE)
    return told is not None and int(told[1] + told[2], 16) / 1000 < time.time() - LONG_AGO


def test_fuzzed_message_is_answered_or_becomes_a_dead_letter(
    stack: LiveStack, client: redis.Redis, ids: Ids
) -> None:
    seed = random.randrange(2**32)
    print(f"seed {seed}")
    chance, ends = random.Random(seed), Counter[str]()
    for prediction in (PREDICTION, FULL):
        sent = [mutated(message(ids.new(), prediction), chance) for _ in range(EACH)]
        client.lpush("predict", *sent)
        until(lambda: is_idle(client), "no message waits", 90)
        answered = settled(client, [id_of(text) for text in sent])
        aside = dead_letters(client)
        for text, has_outcome in zip(sent, answered, strict=True):
            if is_gone(id_of(text)):
                continue
            assert has_outcome or text in aside, f"seed {seed}: {text[:3000]!r} is gone"
            ends["answered" if has_outcome else "put aside"] += 1
    print(ends)
    assert min(ends["answered"], ends["put aside"]) > EACH // 10
    assert not client.exists(keys.PAUSED)  # no content is the fault of a version


ROWS = [b"0", b"-1", b"1e3", b"99999999999999999999", b"1" + b"0" * 400, b"null", b'"1"']


@pytest.mark.parametrize("rows", ROWS, ids=lambda rows: rows.decode()[:20])
def test_fuzzed_row_count_does_no_harm(
    stack: LiveStack, client: redis.Redis, ids: Ids, rows: bytes
) -> None:
    task_id, told = ids.new(), b'"rows":1'
    assert told in message(task_id)
    client.lpush("predict", message(task_id).replace(told, b'"rows":' + rows, 1))
    until(lambda: settled(client, [task_id])[0], "an outcome", 10)


WRONG_TYPES = {
    "list": lambda client, key: client.lpush(key, "x"),
    "hash": lambda client, key: client.hset(key, "x", "y"),
    "set": lambda client, key: client.sadd(key, "x"),
    "stream": lambda client, key: client.xadd(key, {"x": "y"}),
    "text": lambda client, key: client.set(key, b"\xff no record"),
}


@pytest.mark.parametrize("kind", WRONG_TYPES)
def test_result_key_of_another_type_does_not_block_the_queue(
    stack: LiveStack, client: redis.Redis, ids: Ids, kind: str
) -> None:
    task_id, beside = ids.new(), ids.new()
    WRONG_TYPES[kind](client, keys.record(task_id))
    client.lpush("predict", message(task_id), message(beside))
    until(lambda: is_idle(client), "both are done", 10)
    assert stack.outcome(beside, 10)["predictions"] == [2.0]
    if kind != "text":  # a string under the key counts as an outcome
        assert stack.outcome(task_id, 10)["predictions"] == [2.0]


@pytest.mark.parametrize("kind", WRONG_TYPES)
def test_result_key_of_another_type_is_not_a_record(
    stack: LiveStack, client: redis.Redis, ids: Ids, kind: str
) -> None:
    task_id = ids.new()
    WRONG_TYPES[kind](client, keys.record(task_id))
    answer = stack.http.get(f"/predict/result/{task_id}")
    assert answer.status_code == 500
    assert answer.json()["code"] == "lost"
