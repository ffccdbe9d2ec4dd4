"""Errors by class: failures of the infrastructure are retried, others are not."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from registry.store import Registry
from tasks.time_limits import MAX_ATTEMPTS
from tests.integration.short_timeouts import clocked, computed, holds_nothing
from tests.support.models import DEADLY, GUILTY, Lethal, Touchy, register
from tests.support.stack import LiveStack, until
from tests.support.stock_producer import Stock


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveStack]:
    with clocked(tmp_path_factory.mktemp("retries")) as stack:
        yield stack


def run_out_of_memory(stack: LiveStack, times: int) -> None:
    (stack.home / "pantry").write_bytes(bytes(times))


def register_later(stack: LiveStack, name: str) -> Path:
    """Register a version that no process holds yet; return its artifact."""
    model = Touchy(str(stack.home / f"{name}.diary"))  # or two versions share bytes
    return Registry(stack.home).artifact(register(stack.home, name, model, [[1.0, 0.0]]))


def test_out_of_memory_is_retried(live: LiveStack) -> None:
    run_out_of_memory(live, 2)
    task_id = live.submit("hungry", [200.0, 0.0])["id"]
    until(lambda: live.status(task_id) == "retrying", "another try is announced")
    outcome = live.outcome(task_id)
    assert (outcome["predictions"], outcome["receipt"]["attempt"]) == ([400.0], 3)
    assert computed(live, 200.0) == 1
    until(lambda: holds_nothing(live), "nothing is left")


def test_out_of_memory_fails_after_the_last_attempt(live: LiveStack) -> None:
    run_out_of_memory(live, 1000)
    error = live.outcome(live.submit("hungry", [1.0, 0.0])["id"])["error"]
    run_out_of_memory(live, 0)
    assert error == {
        "code": "out_of_memory",
        "message": "There was not enough memory to compute this.",
        "retryable": True,
        "attempt": MAX_ATTEMPTS,
    }


def test_out_of_memory_microbatch_is_computed_in_parts(live: LiveStack) -> None:
    run_out_of_memory(live, 2)
    with live.gathering():
        ids = [live.submit("hungry", [210.0 + n, 0.0])["id"] for n in range(8)]
    answers = [live.outcome(task_id) for task_id in ids]
    assert [answer["predictions"] for answer in answers] == [[420.0 + 2 * n] for n in range(8)]


def test_damaged_artifact_is_retried_and_then_fails_with_its_code(live: LiveStack) -> None:
    """Hazard 19."""
    artifact = register_later(live, "damaged")
    os.truncate(artifact, artifact.stat().st_size // 2)
    ids = [live.submit("damaged", [1.0, 0.0])["id"] for _ in range(3)]
    until(lambda: {live.status(i) for i in ids} == {"retrying"}, "another try is announced")
    errors = [live.outcome(task_id)["error"] for task_id in ids]
    assert {(e["code"], e["attempt"]) for e in errors} == {("artifact_mismatch", MAX_ATTEMPTS)}
    until(lambda: holds_nothing(live), "nothing is left")


def test_damaged_artifact_that_is_repaired_serves(live: LiveStack) -> None:
    artifact = register_later(live, "mended")
    whole = artifact.read_bytes()
    artifact.write_bytes(whole[:-1])
    task_id = live.submit("mended", [220.0, 0.0])["id"]
    until(lambda: live.status(task_id) == "retrying", "another try is announced")
    artifact.write_bytes(whole)
    assert live.outcome(task_id)["predictions"] == [440.0]


def test_missing_artifact_is_not_retried(live: LiveStack) -> None:
    register_later(live, "missing").unlink()
    error = live.outcome(live.submit("missing", [1.0, 0.0])["id"])["error"]
    assert (error["code"], error["attempt"]) == ("artifact_missing", 1)


def test_model_error_is_not_retried(live: LiveStack) -> None:
    error = live.outcome(live.submit("sleepy", [GUILTY, 0.0])["id"])["error"]
    assert (error["code"], error["attempt"]) == ("model_error", 1)


def test_bad_input_of_a_stock_producer_is_not_retried(live: LiveStack) -> None:
    stock = Stock(live.redis_url)
    error = live.outcome_of_stock(stock.submit("doubling", [["x", 0.0]]))["error"]
    assert (error["code"], error["attempt"]) == ("invalid_features", 1)


def test_lethal_prediction_is_retried_and_then_given_up(live: LiveStack) -> None:
    register(live.home, "lethal", Lethal(), [[1.0, 0.0]])
    assert live.predict("lethal", [1.0, 0.0]) == [2.0]
    task_id = live.submit("lethal", [DEADLY, 0.0])["id"]
    until(lambda: live.status(task_id) == "retrying", "another try is announced")
    error = live.outcome(task_id)["error"]
    assert (error["code"], error["attempt"]) == ("worker_lost", MAX_ATTEMPTS)
    until(lambda: holds_nothing(live), "nothing is left")


def test_lethal_prediction_of_a_stock_producer(live: LiveStack) -> None:
    register(live.home, "lethal", Lethal(), [[1.0, 0.0]])
    outcome = live.outcome_of_stock(Stock(live.redis_url).submit("lethal", [[DEADLY, 0.0]]))
    assert outcome["error"]["code"] == "worker_lost"
    assert outcome["model"] == "lethal"
