"""Versions that cannot be computed are paused, refused and resumed; with real workers."""

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import chain

import joblib
import msgspec
import pytest

from benchmarks.harness.processes import free_port
from registry.store import Registry
from stack.process import Process
from stack.programs import Stack
from tasks.ledger import keys
from tasks.ledger.ledger import connect
from tasks.ledger.queue.reservations import Reservations
from tests.integration.damaged_versions import ROW, Artifact, fail_until_paused, paused, post
from tests.integration.lifecycle.test_deadly_artifacts import Bomb
from tests.support.models import DEADLY, Doubling, Lethal, Touchy, described, register
from tests.support.stack import LiveStack, until

pytestmark = pytest.mark.slow


def is_accepted(stack: LiveStack, model: str) -> str | None:
    answer = post(stack, model)
    return answer.json()["id"] if answer.status_code == 202 else None


def test_damaged_artifact_pauses_its_version_until_it_is_repaired(tmp_path, start) -> None:
    register(tmp_path, "doubling", Doubling(), [ROW])
    register(tmp_path, "other", Touchy(), [ROW])
    artifact = Artifact(tmp_path, "doubling:1")
    artifact.damage()
    stack = start(PREDICTQ_BREAKER_FAILURES="3")

    failed = fail_until_paused(stack, "doubling")

    assert len(failed) == 3
    refused = post(stack, "doubling")
    assert refused.headers["content-type"] == "application/problem+json"
    assert int(refused.headers["retry-after"]) >= 1
    assert "3 failures in a row" in refused.json()["detail"]
    assert refused.json()["retryable"] is True
    assert paused(stack)["doubling:1"]["trigger"] == "failures"
    assert stack.predict("other", ROW) == [2.0], "others go on"
    metrics = stack.http.get("/metrics").text
    assert 'predictq_paused{model="doubling",trigger="failures",version="1"} 1.0' in metrics
    assert "predictq_dead_letters 3.0" in metrics

    artifact.mend()
    probe = until(lambda: is_accepted(stack, "doubling"), "a probe")

    assert stack.outcome(probe)["predictions"] == [2.0]
    until(lambda: not paused(stack), "its end")
    assert stack.predict("doubling", ROW) == [2.0]
    replayed = stack.owner.post("/dead-letters/replay", json={"model": "doubling"}).json()
    assert replayed == {"replayed": failed, "refused": []}
    assert [stack.outcome(task_id)["predictions"] for task_id in failed] == [[2.0]] * 3


def test_failed_probe_keeps_the_version_paused(tmp_path, start) -> None:
    register(tmp_path, "doubling", Doubling(), [ROW])
    Artifact(tmp_path, "doubling:1").damage()
    stack = start(PREDICTQ_BREAKER_FAILURES="1")
    fail_until_paused(stack, "doubling")

    probe = until(lambda: is_accepted(stack, "doubling"), "a probe")

    assert stack.outcome(probe)["error"]["code"] == "artifact_mismatch"
    assert "the probe failed" in post(stack, "doubling").json()["detail"]


def test_version_whose_load_crashes_is_paused(tmp_path, start) -> None:
    path = tmp_path / "bomb.joblib"
    joblib.dump({"model": Bomb()}, path)
    content = path.read_bytes()
    Registry(tmp_path).add("bomb", described(content, format="joblib", trusted=True), content)
    register(tmp_path, "doubling", Doubling(), [ROW])
    stack = start(PREDICTQ_BREAKER_FAILURES="2", PREDICTQ_VISIBILITY_TIMEOUT="5")

    ids = []
    while (answer := post(stack, "bomb", [0.0])).status_code == 202:
        ids.append(answer.json()["id"])
        assert stack.outcome(ids[-1], 60)["error"]["code"] == "worker_lost"

    assert len(ids) == 2
    assert answer.json()["code"] == "version_paused"
    assert paused(stack)["bomb:1"]["code"] == "worker_lost"
    letter = stack.owner.get(f"/dead-letters/{ids[0]}").json()
    assert (letter["model"], letter["attempts"], letter["code"]) == ("bomb:1", 4, "worker_lost")
    assert stack.predict("doubling", ROW) == [2.0]


def test_dead_letters_pause_a_version_and_nothing_queued_is_lost(tmp_path, start) -> None:
    register(tmp_path, "lethal", Lethal(), [ROW], exact=True)
    stack = start(processes=1, PREDICTQ_DEAD_LETTERS_PER_MINUTE="2", PREDICTQ_PROBE_AFTER="300")
    deadly = [stack.submit("lethal", [DEADLY, 0.0])["id"] for _ in range(2)]
    for task_id in deadly:
        assert stack.outcome(task_id, 60)["status"] == "failed"
    deadly.append(stack.submit("lethal", [DEADLY, 0.0])["id"])
    behind = queue_behind_its_last_attempt(stack, deadly[-1])
    assert stack.outcome(deadly[-1])["status"] == "failed"
    until(lambda: paused(stack), "the pause")

    assert paused(stack)["lethal:1"]["trigger"] == "dead_letters"
    assert "3 dead letters within a minute" in post(stack, "lethal").json()["detail"]
    assert {x["id"] for x in stack.http.get("/dead-letters").json()["dead_letters"]} == {*deadly}
    until(lambda: paused(stack)["lethal:1"]["parked"] + 2 >= 20, "parked")

    stack.owner.post("/models/lethal/versions/1/resume")

    outcomes = [stack.outcome(task_id) for task_id in behind]
    assert [o["predictions"] for o in outcomes] == [[200.0 + 2.0 * n] for n in range(20)]


def queue_behind_its_last_attempt(stack: LiveStack, deadly: str) -> list[str]:
    """Queue twenty messages behind a lethal one, just before its last attempt."""
    with connect(stack.redis_url) as client:
        until(lambda: client.hget(keys.ATTEMPTS, deadly) == b"3.5", "all attempts but the last")
        with stack.frozen("worker"):
            ids = [stack.submit("lethal", [100.0 + n, 0.0])["id"] for n in range(20)]
            until(lambda: Reservations(client, 30, 60).upkeep(()), "it goes back to the front")
    return ids


def test_paused_version_s_queue_is_answered_in_order_after_the_pause(tmp_path, start) -> None:
    diary = tmp_path / "diary"
    register(tmp_path, "doubling", Touchy(str(diary)), [ROW], exact=True)
    register(tmp_path, "other", Touchy(), [ROW])
    diary.unlink()  # the example of the registration is in it
    stack = start(processes=1)
    with stack.frozen("worker"):
        ids = [stack.submit("doubling", [float(n), 0.0])["id"] for n in range(20)]
        answer = stack.owner.post("/models/doubling/versions/1/pause", json={"reason": "a test"})
        assert answer.json() == {"model": "doubling:1", "paused": True, "changed": True}
        other = stack.submit("other", ROW)["id"]
    assert stack.outcome(other)["status"] == "succeeded"
    assert "a test" in post(stack, "doubling").json()["detail"]
    until(lambda: paused(stack)["doubling:1"]["parked"] + 2 >= 20, "parked")
    waiting = [n for n in ids if stack.http.get(f"/predict/result/{n}").status_code == 202]
    assert len(waiting) >= 18, "what a worker held already may be computed"
    assert "predictq_parked_messages" in stack.http.get("/metrics").text

    assert stack.owner.post("/models/doubling/versions/1/resume").json()["changed"]

    outcomes = [stack.outcome(task_id) for task_id in ids]
    assert [o["predictions"] for o in outcomes] == [[2.0 * n] for n in range(20)]
    assert [float(value) for value in diary.read_text().split()] == [*range(20)]


def test_damaged_version_makes_no_more_dead_letters_than_the_limit(tmp_path, start) -> None:
    register(tmp_path, "doubling", Doubling(), [ROW])
    artifact = Artifact(tmp_path, "doubling:1")
    artifact.damage()
    stack = start(PREDICTQ_BREAKER_FAILURES="3", PREDICTQ_PROBE_AFTER="1")
    with stack.frozen("worker"):
        ids = [stack.submit("doubling", [float(n), 0.0])["id"] for n in range(200)]
    until(lambda: paused(stack), "the pause")
    artifact.mend()

    until(lambda: not paused(stack), "its end")

    outcomes = [stack.outcome(task_id) for task_id in ids]
    failed = [n for n, outcome in enumerate(outcomes) if outcome["status"] == "failed"]
    assert len(failed) <= 5, "the limit, and a probe or two"
    for number, outcome in enumerate(outcomes):
        if number not in failed:
            assert outcome["predictions"] == [2.0 * number]


def test_paused_version_is_seen_by_all_api_processes(tmp_path, start) -> None:
    register(tmp_path, "doubling", Doubling(), [ROW])
    Artifact(tmp_path, "doubling:1").damage()
    stack = start(PREDICTQ_BREAKER_FAILURES="2", PREDICTQ_PROBE_AFTER="300")
    with second_api(stack) as url:
        task_ids = [post(stack, "doubling", url=part).json()["id"] for part in ("", url)]
        for task_id in task_ids:
            assert stack.outcome(task_id)["status"] == "failed"
        refusals = [post(stack, "doubling", url=part).json() for part in ("", url)]
        assert refusals[0]["code"] == "version_paused"
        assert refusals[0]["detail"] == refusals[1]["detail"]
        stack.owner.post(f"{url}/models/doubling/versions/1/resume")
        assert not paused(stack)


@contextmanager
def second_api(stack: LiveStack) -> Iterator[str]:
    """A second API process on the same home and Redis; yields its address."""
    home = stack.home
    parts = Stack(home, stack.redis_url, free_port(), None, 1)
    (program,) = (p for p in chain.from_iterable(parts.stages()) if p.name == "api")
    environment = {**program.environment, **stack._environment}
    program = msgspec.structs.replace(program, environment=environment)
    process = Process(program, home / "logs" / "api2.log")
    try:
        until(program.ready, "a second API")
        yield parts.url
    finally:
        process.kill()
