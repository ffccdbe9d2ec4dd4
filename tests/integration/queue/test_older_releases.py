"""Messages of older front ends are computed, and records of older workers are read."""

import json
from collections.abc import Iterator

import pytest
import redis

from tasks.ledger import keys
from tasks.ledger.ledger import connect
from tests.contract.samples import IDS, PREDICTIONS, kept, versions
from tests.support.models import Doubling, register
from tests.support.stack import Json, LiveStack, running, until

pytestmark = pytest.mark.slow

KEPT = [pytest.param(kept(version), id=version.name) for version in versions()]


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveStack]:
    home = tmp_path_factory.mktemp("golden")
    register(home, "golden", Doubling(), [[1.0, 0.0]], alias="production")
    with running(home, processes=1, forks=True) as stack:
        yield stack


@pytest.fixture
def client(stack: LiveStack) -> Iterator[redis.Redis]:
    with connect(stack.redis_url) as client:
        client.delete(*map(keys.record, IDS.values()))
        yield client


def put_record(client: redis.Redis, files: dict[str, bytes], state: str) -> str:
    """Put the kept record of a state into Redis; return its id."""
    client.set(keys.record(IDS[state]), files[f"record-{state}.json"])
    return IDS[state]


@pytest.mark.parametrize("files", KEPT)
def test_message_of_an_older_front_end_is_computed(
    stack: LiveStack, client: redis.Redis, files: dict[str, bytes]
) -> None:
    task_id = put_record(client, files, "queued")
    client.lpush("predict", files["message.json"])
    outcome = stack.outcome(task_id)
    assert outcome["predictions"] == PREDICTIONS
    assert outcome["receipt"]["alias"] == "production"
    until(lambda: not client.hlen(keys.RESERVED), "it is settled")


def test_message_in_arrow_is_computed(stack: LiveStack, client: redis.Redis) -> None:
    files = kept(versions()[-1])
    task_id = put_record(client, files, "queued")
    client.lpush("predict", files["message-arrow.json"])
    outcome = stack.outcome(task_id)
    assert (outcome["predictions"], outcome["receipt"]["batch_size"]) == (PREDICTIONS, 2)


@pytest.mark.parametrize("files", KEPT)
def test_message_of_an_older_front_end_can_be_cancelled(
    stack: LiveStack, client: redis.Redis, files: dict[str, bytes]
) -> None:
    task_id = put_record(client, files, "queued")
    assert stack.http.delete(f"/predict/result/{task_id}").json()["status"] == "cancelled"


@pytest.mark.parametrize("files", KEPT)
@pytest.mark.parametrize("state", ["succeeded", "failed", "cancelled", "expired"])
def test_record_of_an_older_worker_is_read(
    stack: LiveStack, client: redis.Redis, files: dict[str, bytes], state: str
) -> None:
    task_id = put_record(client, files, state)
    answer = stack.http.get(f"/predict/result/{task_id}")
    assert answer.status_code == 200
    told: Json = answer.json()
    kept_record = json.loads(files[f"record-{state}.json"])
    assert (told["status"], told["id"]) == (state, task_id)
    if state == "succeeded":
        assert told["predictions"] == PREDICTIONS
        assert kept_record["receipt"].items() <= told["receipt"].items()
    if state == "failed":
        assert kept_record["error"].items() <= told["error"].items()
