"""A Redis that refuses commands: API and workers wait, and continue over new connections."""

import logging
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis
from flask.testing import FlaskClient
from kombu import Connection

from api.app import Services, create_flask
from tasks.ledger.ledger import connect
from tasks.ledger.server.startup_check import StartupCheck
from tasks.settings import Settings
from tests.callers import OWNER, client_of
from tests.integration.ledger.ledger_harness import message
from tests.integration.refusing_redis import (
    Refusing,
    alone,
    busy,
    configured,
    cut_off,
    demoted,
    full,
    unsaved,
    url_of,
)
from tests.integration.worker_connection import consuming, worker_connection
from tests.support.models import Doubling, register
from tests.support.stack import until

BODY = {"model": "doubling", "features": [1.0, 0.0]}
ALL = [demoted, cut_off, alone, busy, unsaved, full]
NO_WRITES = [demoted, cut_off, alone, busy, unsaved]
"""In which a worker cannot take either; a full Redis lets it."""


@pytest.fixture(scope="module")
def front(
    client: redis.Redis, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Services, FlaskClient]:
    home = tmp_path_factory.mktemp("front")
    register(home, "doubling", Doubling(), [[1.0, 0.0]])
    parts = Services(Settings(home=home, redis_url=url_of(client)))
    return parts, client_of(create_flask(parts), OWNER)


@pytest.mark.parametrize("refusing", ALL)
def test_api_answers_refusals_with_503_and_retry_after(
    client: redis.Redis, front: tuple[Services, FlaskClient], refusing: Refusing
) -> None:
    _, web = front
    assert web.post("/predict/async", json=BODY).status_code == 202
    with refusing(client):
        for _ in range(3):
            answer = web.post("/predict/async", json=BODY)
            assert answer.status_code == 503, answer.text
            assert answer.json["code"] == "unavailable"
            assert int(answer.headers["retry-after"]) >= 1
    assert web.post("/predict/async", json=BODY).status_code == 202


@pytest.mark.parametrize("refusing", NO_WRITES)
def test_refused_connection_is_not_used_again(client: redis.Redis, refusing: Refusing) -> None:
    """After a failover, the address leads to the new primary."""
    with connect(url_of(client)) as pooled:
        before = pooled.client_id()
        assert pooled.client_id() == before
        with refusing(client), pytest.raises(redis.RedisError):
            pooled.set("anything", 1)
        assert pooled.client_id() != before


@pytest.fixture
def worker(
    client: redis.Redis, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Connection]:
    """A worker's Celery connection to this Redis."""
    with worker_connection(url_of(client), tmp_path, monkeypatch) as connection:
        yield connection


@pytest.mark.parametrize("refusing", NO_WRITES)
def test_refused_worker_connects_anew(
    client: redis.Redis, worker: Connection, refusing: Refusing
) -> None:
    channel = consuming(worker)
    client.delete("predict")
    client.lpush("predict", message("p"))
    with refusing(client), pytest.raises(redis.ConnectionError):
        channel.consume()
    with refusing(client), pytest.raises(redis.ConnectionError):
        channel.upkeep()
    assert client.llen("predict") == 1


@pytest.mark.parametrize("refusing", NO_WRITES)
def test_refused_worker_waits_and_logs_one_line(
    client: redis.Redis,
    worker: Connection,
    refusing: Refusing,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    worker.connect()  # Redis is suitable, which only the first look finds out
    worker.close()
    waits: list[float] = []
    monkeypatch.setattr("workers.celery.connecting._pause", waits.append)
    connecting = threading.Thread(target=worker.connect)
    with refusing(client):
        connecting.start()
        until(lambda: len(waits) > 5, "some tries")
        assert connecting.is_alive()
    connecting.join()
    told = [r.getMessage() for r in caplog.records if r.name == "tasks.ledger.server.outage"]
    assert len(told) == 2, told
    assert told[0].startswith("Redis refuses writes; retrying: ")
    assert told[1].startswith("Redis is back after ")


def test_worker_does_not_start_on_an_evicting_redis(
    client: redis.Redis, worker: Connection
) -> None:
    with configured(client, "maxmemory-policy", "allkeys-lru"), pytest.raises(SystemExit):
        worker.connect()


def test_queue_bound_is_a_quarter_of_maxmemory(
    client: redis.Redis, front: tuple[Services, FlaskClient]
) -> None:
    parts, _ = front
    with configured(client, "maxmemory", 512 * 2**20):
        StartupCheck(parts.ledger.client, parts.ledger.fit).run()
    assert parts.ledger.bounds.bytes == 128 * 2**20


def test_answers_without_redis_are_logged_once_in_a_while(
    client: redis.Redis, front: tuple[Services, FlaskClient], caplog: pytest.LogCaptureFixture
) -> None:
    _, web = front
    with demoted(client), caplog.at_level(logging.WARNING, "api.http.problems"):
        for _ in range(20):
            web.post("/predict/async", json=BODY)
    assert len([r for r in caplog.records if r.name == "api.http.problems"]) <= 1
