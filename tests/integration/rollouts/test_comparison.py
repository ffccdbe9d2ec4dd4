"""The comparison over HTTP, over a real Redis."""

from pathlib import Path
from typing import Any

import pytest
import redis
from flask.testing import FlaskClient

from api.app import Services, create_flask
from registry.changes import Changes
from registry.rollouts.rollout import RolloutPlan
from registry.rollouts.rollouts import Rollouts
from registry.store import Registry
from tasks.ledger import keys
from tasks.settings import Settings
from tests.callers import OWNER, client_of
from tests.support.models import described
from workers.rollouts.controller import Controller

COMPARISON = "/models/m/comparison"


@pytest.fixture
def registry(tmp_path: Path) -> Registry:
    registry = Registry(tmp_path)
    for artifact in (b"one", b"two", b"three"):
        registry.add("m", described(artifact), artifact)
    Changes(registry).set_alias("m", "production", 1)
    return registry


@pytest.fixture
def front(registry: Registry, client: redis.Redis, bare_redis: str) -> FlaskClient:
    settings = Settings(home=registry.home, redis_url=bare_redis)
    return client_of(create_flask(Services(settings)), OWNER)


def count(client: redis.Redis, fields: dict[str, int]) -> None:
    client.hset(keys.COMPARED + "m@production", mapping=fields)


def test_rollout_is_compared_while_it_goes_on_and_after(
    registry: Registry, front: FlaskClient, client: redis.Redis
) -> None:
    Rollouts(registry).start("m", RolloutPlan(version=2))
    controller = Controller(registry, client)
    controller.tick()
    count(client, {"1:90:answered": 900, "2:10:answered": 60, "2:10:calls": 60, "2:10:t3": 60})
    controller.tick()
    found = front.get(COMPARISON).json
    assert (found["rollout"], found["share"], found["stable"], found["candidate"]) == (1, 10, 1, 2)
    assert found["verdict"]["decision"] == "inconclusive"
    assert found["verdict"]["missing"] == ["40 more predictions by version 2 at 10 %"]
    assert found["path"] == [[60, 1.0]]
    stable, candidate = found["versions"]
    assert (stable["answered"], stable["p95_ms"]) == (900, None)
    assert (candidate["calls"], candidate["p95_ms"]) == (60, pytest.approx(1.953, abs=0.01))
    count(client, {"2:10:errors": 3, "2:10:failed": 3})
    controller.tick()
    found = front.get(COMPARISON).json
    assert (found["verdict"]["decision"], found["share"]) == ("roll_back", 0)
    assert [each["name"] for each in found["verdict"]["measures"]] == ["errors"]


def test_split_by_hand_is_compared(
    registry: Registry, front: FlaskClient, client: redis.Redis
) -> None:
    Changes(registry).set_alias("m", "production", {1: 80, 3: 20})
    count(client, {"1:80:answered": 8, "3:20:answered": 2})
    found = front.get(COMPARISON).json
    assert (found["rollout"], found["candidate"], found["share"]) == (None, 3, 20)
    assert found["verdict"]["decision"] == "promote"
    Changes(registry).set_alias("m", "production", {1: 80, 2: 10, 3: 10})
    asked = front.get(COMPARISON).json
    assert (asked["status"], asked["errors"][0]["loc"]) == (422, ["version"])
    assert asked["detail"].endswith("beside 1: 2, 3")
    assert front.get(f"{COMPARISON}?version=2").json["candidate"] == 2


@pytest.mark.parametrize(
    ("query", "status"),
    [("", 404), ("?alias=unknown", 404), ("?version=x", 422), ("?version=0", 422), ("?x=1", 422)],
)
def test_bad_comparisons_are_refused(front: FlaskClient, query: str, status: int) -> None:
    answer: Any = front.get(COMPARISON + query)
    assert answer.status_code == status, answer.json


def test_comparison_of_an_unknown_model_is_404(front: FlaskClient) -> None:
    assert front.get("/models/unknown/comparison").status_code == 404
