"""What workers counted is added up by hour, and shown beside the baseline."""

from pathlib import Path

import pytest
import redis
from flask.testing import FlaskClient

from api.app import Services, create_flask
from registry.baseline import Baseline, BaselineFeature
from registry.changes import Changes
from registry.rollouts.rollout import RolloutPlan
from registry.rollouts.rollouts import Rollouts
from registry.shadows.shadows import ShadowSettings
from registry.storage.model_settings import Shadow
from registry.store import Registry
from tasks.drift.counts import KEPT_HOURS, DriftCounts
from tasks.ledger import keys
from tasks.settings import Settings
from tests.callers import OWNER, client_of
from tests.support.models import described

AGE = BaselineFeature("age", "column", (10, 0, 90, 100, 0), edges=(17.9, 40.0, 80.0))
TOWN = BaselineFeature("town", "column", (0, 20, 180), names=("Bern",))
ANSWER = BaselineFeature("predict", "output", (0, 0, 150, 50), names=("0", "1"))
BASELINE = Baseline(200, (AGE, TOWN, ANSWER))
STEADY = {0: 40, 2: 360, 3: 400, 6: 80, 7: 720, 10: 600, 11: 200}
OLD = {4: 800, 7: 800, 10: 800}
"""Rows of people above the oldest of the sample."""
HOUR = 3600


class World:
    """Counts of workers, whose time a test chooses, and the routes over them."""

    def __init__(self, home: Path, client: redis.Redis, url: str) -> None:
        self.registry = Registry(home)
        for content, baseline in (b"one", BASELINE), (b"two", None), (b"three", Baseline(30, ())):
            self.registry.add("churn", described(content), content, baseline=baseline)
        self.now = 1_800_000_000.0
        self.client = client
        for key in client.scan_iter(keys.DRIFT + "*"):  # of a test before this one
            client.delete(key)
        self.counts = DriftCounts(client, lambda: self.now)
        services = Services(Settings(home=home, redis_url=url))
        self.http: FlaskClient = client_of(create_flask(services), OWNER)

    def add(self, counts: dict[int, int], *, now: bool = False) -> None:
        adder = DriftCounts(self.client) if now else self.counts
        adder.add("churn:1", BASELINE.digest, counts)

    def shown(self, query: str = "version=1"):
        answer = self.http.get(f"/models/churn/drift?{query}")
        assert answer.status_code == 200, answer.json
        return answer.json


@pytest.fixture
def world(tmp_path: Path, client: redis.Redis, bare_redis: str) -> World:
    return World(tmp_path, client, bare_redis)


def test_counts_of_all_workers_are_added_up_by_hour(world: World) -> None:
    world.add({0: 1, 11: 2})
    world.add({0: 4})
    world.now += HOUR
    world.add({2: 7})
    first, second = world.counts.read("churn:1", BASELINE.digest, 12, 24)
    assert first.counts == (5, *[0] * 10, 2)
    assert second.counts == (0, 0, 7, *[0] * 9)
    assert second.hour - first.hour == HOUR
    assert world.counts.read("churn:1", BASELINE.digest, 12, 1) == [second]
    assert world.counts.read("churn:1", "other", 12, 24) == []
    for key in world.client.scan_iter(keys.DRIFT + "*"):
        assert 0 < world.client.ttl(key) <= (KEPT_HOURS + 1) * HOUR


def test_counts_do_not_begin_anew_beyond_their_greatest_value(world: World) -> None:
    world.add({0: 2**32 - 10})
    world.add({0: 100, 1: 1})
    (found,) = world.counts.read("churn:1", BASELINE.digest, 2, 24)
    assert found.counts == (2**32 - 1, 1)


def test_steady_rows_are_shown(world: World) -> None:
    assert world.shown()["status"] == "few_rows"
    world.add(STEADY, now=True)
    found = world.shown()
    assert (found["status"], found["rows"], found["sample_rows"]) == ("steady", 800, 200)
    assert [hour["rows"] for hour in found["hours"]] == [800]
    age, town, answer = found["features"]
    assert (age["name"], age["kind"], age["missing"], age["strange"]) == ("age", "column", 0.05, 0)
    assert [bucket["label"] for bucket in age["buckets"]] == [
        *("missing", "< 17.9", "≤ 40", "≤ 80", "> 80")
    ]
    assert (town["strange"], town["distance"], answer["kind"]) == (0.1, None, "output")
    assert not any(feature["drifted"] for feature in found["features"])


def test_drifted_rows_are_shown_and_measured(world: World) -> None:
    world.add(OLD, now=True)
    found = world.shown()
    age, town, answer = found["features"]
    assert found["status"] == "drifted"
    assert found["why"].startswith("age (")
    assert (age["drifted"], town["drifted"], answer["drifted"]) == (True, True, True)
    assert (age["strange"], age["distance"]) == (1.0, 1.0)
    assert age["psi_by_hour"] == [age["psi"]]
    world.client.sadd(keys.ANSWERED, "churn:1", "churn:2", "gone:1")
    metrics = world.http.get("/metrics").text
    assert 'predictq_drifted_features{kind="column",model="churn",version="1"} 2.0' in metrics
    assert 'predictq_drifted_features{kind="output",model="churn",version="1"} 1.0' in metrics
    assert 'predictq_drift_rows{model="churn",version="1"} 800.0' in metrics
    assert 'predictq_drift_rows{model="churn",version="2"}' not in metrics


def test_console_shows_drift_shadows_and_rollouts(world: World) -> None:
    world.add(OLD, now=True)
    Changes(world.registry).set_alias("churn", "production", 1)
    ShadowSettings(world.registry).start("churn", "production", Shadow(version=2, rate=5))
    Rollouts(world.registry).start("churn", RolloutPlan(version=3))
    page = world.http.get("/console/models/churn").text
    assert "drifted: age (" in page
    assert "no sample: the version was registered without a sample" in page
    assert "running, step 0 of 3" in page
    assert "<td>5.0 %</td>" in page
    assert "<td>inconclusive</td>" in page


def test_versions_without_a_baseline_say_what_they_need(world: World) -> None:
    assert world.shown("version=2")["status"] == "no_sample"
    small = world.shown("version=3&hours=1")
    assert (small["status"], small["sample_rows"]) == ("small_sample", 30)
    assert "100 are needed" in small["why"]


def test_default_is_the_version_in_production(world: World) -> None:
    assert world.shown("")["version"] == 3
    Changes(world.registry).set_alias("churn", "production", 1)
    assert world.shown("")["version"] == 1


@pytest.mark.parametrize("query", ["version=9", "hours=0", "hours=169", "what=1"])
def test_bad_queries_are_refused(world: World, query: str) -> None:
    assert world.http.get(f"/models/churn/drift?{query}").status_code in (404, 422)


def test_baseline_is_removed_with_its_version(world: World) -> None:
    (manifest, *_) = world.registry.versions("churn")
    Changes(world.registry).remove("churn", 1)
    assert world.registry.baseline(manifest) is None
