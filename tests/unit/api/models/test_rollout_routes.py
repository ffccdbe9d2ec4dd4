"""The routes of rollouts; `registry.rollouts` has its own tests."""

from pathlib import Path

import pytest

from registry.changes import Changes
from registry.history import Cause
from registry.rollouts.rollouts import Rollouts
from tests.unit.api.models.registry_front import RegistryFront

ROLLOUTS = "/models/m/rollouts"


@pytest.fixture
def front(tmp_path: Path) -> RegistryFront:
    front = RegistryFront(tmp_path)
    Changes(front.registry).set_alias("m", "production", 1)
    return front


def test_rollout_is_started_paused_resumed_and_aborted(front: RegistryFront) -> None:
    owner = front.owner
    asked = {"version": 2, "steps": [25, 100], "every_seconds": 60, "by": "ada", "why": "better"}
    started = owner.post(ROLLOUTS, json=asked)
    assert (started.status_code, started.headers["Location"]) == (201, f"{ROLLOUTS}/1")
    rollouts = Rollouts(front.registry)
    rollouts.advance(rollouts.find("m", 1), Cause("", ""))
    for act, status in (("pause", "paused"), ("resume", "running"), ("abort", "aborted")):
        assert owner.post(f"{ROLLOUTS}/1/{act}", json={"why": act}).json["status"] == status
    shown = front.anyone.get(f"{ROLLOUTS}/1").json
    assert (shown["status"], shown["why"], shown["stable"]) == ("aborted", "abort", 1)
    assert front.anyone.get(ROLLOUTS).json["rollouts"] == [shown]
    assert front.registry.aliases("m") == {"production": 1}


@pytest.mark.parametrize("path", [ROLLOUTS, f"{ROLLOUTS}/1/pause", f"{ROLLOUTS}/1/abort"])
def test_rollouts_need_the_local_key(front: RegistryFront, path: str) -> None:
    assert front.anyone.post(path, json={"version": 2}).status_code == 401


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({}, 422),
        ({"version": 1}, 409),
        ({"version": 9}, 404),
        ({"version": 2, "alias": "unknown"}, 404),
        ({"version": 2, "steps": [10, 50]}, 422),
        ({"version": 2, "steps": [60, 50, 100]}, 422),
        ({"version": 2, "every_seconds": 0}, 422),
        ({"version": 2, "every": 5}, 422),
    ],
)
def test_bad_rollouts_are_refused(front: RegistryFront, body: dict, status: int) -> None:
    answer = front.owner.post(ROLLOUTS, json=body)
    assert answer.status_code == status, answer.json
    assert front.anyone.get(ROLLOUTS).json["rollouts"] == []


def test_of_two_rollouts_of_one_alias_one_begins(front: RegistryFront) -> None:
    answers = [front.owner.post(ROLLOUTS, json={"version": version}) for version in (2, 3)]
    assert [answer.status_code for answer in answers] == [201, 409]
    assert "abort it first" in answers[1].json["detail"]


@pytest.mark.parametrize("id", ["2", "x", "1e3", "9" * 30])
def test_unknown_rollout_is_404(front: RegistryFront, id: str) -> None:
    assert front.anyone.get(f"{ROLLOUTS}/{id}").status_code == 404
    assert front.owner.post(f"{ROLLOUTS}/{id}/abort").status_code == 404
