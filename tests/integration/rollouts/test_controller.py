"""The controller begins steps in time and upon evidence; any number of controllers act once."""

from pathlib import Path
from threading import Thread

import msgspec
import pytest
import redis

from registry.changes import Changes
from registry.rollouts.rollout import Rollout, RolloutPlan
from registry.rollouts.rollouts import Rollouts
from registry.splits import Meaning
from registry.store import Registry
from tasks.comparison.figures import Comparisons
from tasks.ledger import keys
from tasks.ledger.pauses.pauses import Pause, Pauses
from tests.support.models import described
from workers.rollouts.controller import Controller

SOON, LATE = 1e-6, 3600.0
COUNTS = keys.COMPARED + "m@production"


@pytest.fixture
def registry(tmp_path: Path) -> Registry:
    registry = Registry(tmp_path)
    for artifact in (b"one", b"two"):
        registry.add("m", described(artifact), artifact)
    Changes(registry).set_alias("m", "production", 1)
    return registry


@pytest.fixture
def controller(registry: Registry, client: redis.Redis) -> Controller:
    return Controller(registry, client)


def begin(registry: Registry, controller: Controller, **plan: object) -> Rollout:
    """A rollout at its first step."""
    rollouts = Rollouts(registry)
    rollouts.start("m", RolloutPlan(version=2, **{"every_seconds": SOON, **plan}))
    controller.tick()
    assert means(registry) == {1: 90, 2: 10}
    return rollouts.find("m", 1)


def count(client: redis.Redis, **fields: int) -> None:
    """Have so much counted, under names such as ``v2_s10_answered``."""
    for name, value in fields.items():
        version, share, what = name.split("_")
        client.hincrby(COUNTS, f"{version[1:]}:{share[1:]}:{what}", value)


def means(registry: Registry) -> Meaning:
    return registry.aliases("m")["production"]


def test_step_waits_for_its_time(
    registry: Registry, controller: Controller, client: redis.Redis
) -> None:
    begin(registry, controller, every_seconds=LATE)
    count(client, v2_s10_answered=1000)
    controller.tick()
    assert means(registry) == {1: 90, 2: 10}


def test_step_waits_for_traffic(
    registry: Registry, controller: Controller, client: redis.Redis
) -> None:
    begin(registry, controller, requests=50)
    count(client, v1_s90_answered=10_000, v2_s10_answered=49)
    controller.tick()
    assert means(registry) == {1: 90, 2: 10}
    count(client, v2_s10_answered=1)
    controller.tick()
    assert means(registry) == {1: 50, 2: 50}
    assert "errors 0 of 50, beside 0 of 10000" in registry.history("m")[-1].why
    controller.tick()
    assert means(registry) == {1: 50, 2: 50}, "what was answered at 10 % does not count for 50 %"


def test_counts_of_an_earlier_split_are_forgotten(
    registry: Registry, controller: Controller, client: redis.Redis
) -> None:
    count(client, v2_s10_answered=1000, v2_s10_errors=900)
    begin(registry, controller)
    controller.tick()
    assert means(registry) == {1: 90, 2: 10}


def test_candidate_that_fails_more_often_is_rolled_back_and_stays_so(
    registry: Registry, controller: Controller, client: redis.Redis
) -> None:
    begin(registry, controller)
    count(client, v1_s90_answered=900, v2_s10_answered=100, v2_s10_errors=3)
    controller.tick()
    assert means(registry) == 1
    (rollout,) = Rollouts(registry).all("m")
    assert rollout.status == "rolled_back"
    assert rollout.why.startswith("errors 3 of 100, beside 0 of 900, evidence ")
    assert registry.history("m")[-1].act == "rollback"
    for _ in range(3):
        controller.tick()
    assert means(registry) == 1


def test_candidate_as_bad_as_the_stable_version_goes_on(
    registry: Registry, controller: Controller, client: redis.Redis
) -> None:
    begin(registry, controller)
    count(client, v1_s90_answered=9000, v1_s90_errors=90, v2_s10_answered=1000, v2_s10_errors=10)
    controller.tick()
    assert means(registry) == {1: 50, 2: 50}


def test_paused_rollout_is_still_rolled_back(
    registry: Registry, controller: Controller, client: redis.Redis
) -> None:
    begin(registry, controller)
    Rollouts(registry).pause("m", 1)
    count(client, v1_s90_answered=900, v2_s10_answered=100, v2_s10_errors=3)
    controller.tick()
    assert means(registry) == 1


def test_candidate_that_the_breaker_pauses_is_rolled_back(
    registry: Registry, controller: Controller, client: redis.Redis
) -> None:
    begin(registry, controller)
    Pauses(client).pause("m:2", "maintenance")
    controller.tick()
    assert means(registry) == {1: 90, 2: 10}, "an operator's pause is no verdict"
    pause = Pause(trigger="failures", code="worker_lost", reason="5 failures in a row", since=1.0)
    client.hset(keys.PAUSED, "m:2", msgspec.json.encode(pause))
    controller.tick()
    assert means(registry) == 1
    assert "was paused: 5 failures in a row" in registry.history("m")[-1].why


def test_limit_needs_proof_and_rolls_back(
    registry: Registry, controller: Controller, client: redis.Redis
) -> None:
    begin(registry, controller, max_failed=1.0)
    count(client, v2_s10_answered=343)
    controller.tick()
    assert means(registry) == {1: 90, 2: 10}
    count(client, v2_s10_answered=1)
    controller.tick()
    assert means(registry) == {1: 50, 2: 50}
    # The stable version fails as often, and the limit counts all the same.
    count(client, v1_s50_answered=400, v1_s50_errors=40, v2_s50_answered=400, v2_s50_errors=40)
    count(client, v2_s50_failed=40)
    controller.tick()
    assert means(registry) == 1
    assert Rollouts(registry).find("m", 1).why.startswith("failed 40 of 744")


def test_slow_calls_count_beside_those_of_the_stable_version(
    registry: Registry, controller: Controller, client: redis.Redis
) -> None:
    begin(registry, controller, every_seconds=LATE)
    count(client, v1_s90_calls=200, v1_s90_t10=200, v2_s10_calls=20, v2_s10_t12=20)
    controller.tick()
    figures = Comparisons(client).read("m@production")
    assert figures.slow_over == 12, "half as slow again is not slow"
    count(client, v1_s90_calls=180, v1_s90_t10=180, v2_s10_calls=20, v2_s10_t12=20)
    controller.tick()
    assert means(registry) == {1: 90, 2: 10}
    count(client, v2_s10_calls=6, v2_s10_t13=6)
    controller.tick()
    assert means(registry) == 1
    assert Rollouts(registry).find("m", 1).why.startswith("slow 6 of 26, beside 0 of 180")


def test_wrong_labels_roll_back(
    registry: Registry, controller: Controller, client: redis.Redis
) -> None:
    begin(registry, controller, every_seconds=LATE)
    count(client, v1_s90_labelled=90, v1_s90_wrong=2, v2_s10_labelled=10, v2_s10_wrong=2)
    controller.tick()
    assert means(registry) == {1: 90, 2: 10}
    count(client, v2_s10_labelled=3, v2_s10_wrong=3)
    controller.tick()
    assert means(registry) == 1
    assert Rollouts(registry).find("m", 1).why.startswith("wrong 5 of 13, beside 2 of 90")


def test_rollout_holds_while_redis_is_away(registry: Registry, controller: Controller) -> None:
    begin(registry, controller)
    away = redis.Redis.from_url("redis://127.0.0.1:1/0")
    Controller(registry, away).tick()
    assert means(registry) == {1: 90, 2: 10}


def test_many_controllers_make_each_step_once(registry: Registry, client: redis.Redis) -> None:
    shares = (10, 20, 30, 100)
    plan = RolloutPlan(version=2, steps=shares, every_seconds=SOON, requests=1)
    Rollouts(registry).start("m", plan)
    Controller(registry, client).tick()
    count(client, **{f"v2_s{share}_answered": 1 for share in shares})
    threads = [Thread(target=_tick_often, args=(registry.home, client)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    moves = [change.after for change in registry.history("m") if "step" in change.why]
    assert moves[-4:] == [{1: 90, 2: 10}, {1: 80, 2: 20}, {1: 70, 2: 30}, 2]
    assert len(moves) == 5, "with the start"


def _tick_often(home: Path, client: redis.Redis) -> None:
    controller = Controller(Registry(home), client)
    for _ in range(4):
        controller.tick()


def test_one_broken_rollout_does_not_hold_up_the_others(
    registry: Registry, controller: Controller
) -> None:
    registry.add("a", described(b"three"), b"three")
    (registry.home / "models/a/rollouts.json").write_bytes(b"[{")
    begin(registry, controller)
