"""Time limits: how long a prediction may wait, and how long it may compute."""

import json
import time
from collections.abc import Iterator

import pytest

from stack.process import ROOT
from tests.integration.short_timeouts import VISIBILITY, clocked, computed, holds_nothing
from tests.support.stack import LiveStack, until
from tests.support.stock_producer import Stock

pytestmark = pytest.mark.slow

SKEWED = ROOT / "benchmarks/prove/skewed"
FOR_EVER = 60.0
"""Seconds, longer than any test here."""


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveStack]:
    with clocked(tmp_path_factory.mktemp("clocks")) as stack:
        yield stack


@pytest.fixture(scope="module")
def stock(live: LiveStack) -> Stock:
    return Stock(live.redis_url)


@pytest.mark.parametrize(
    ("model", "fields"), [("sleepy", {"max_queue_seconds": 0.3}), ("impatient", {})]
)
def test_queued_prediction_expires_without_a_worker(
    live: LiveStack, model: str, fields: dict[str, float]
) -> None:
    value = 100.0 + len(fields)
    live.stop("worker")
    try:
        task_id = live.submit(model, [value, 0.0], **fields)["id"]
        assert live.status(task_id) == "queued"
        assert live.outcome(task_id, within=5)["status"] == "expired"
    finally:
        live.start("worker")
    until(lambda: holds_nothing(live), "its message is gone")
    assert live.status(task_id) == "expired"
    assert computed(live, value) == 0


def test_overdue_prediction_is_not_started(live: LiveStack) -> None:
    with live.frozen("worker"):
        late = live.submit("sleepy", [110.0, 0.0], max_queue_seconds=0.05)["id"]
        in_time = live.submit("sleepy", [111.0, 0.0], max_queue_seconds=FOR_EVER)["id"]
        time.sleep(0.1)  # longer than the late one may wait
    assert live.outcome(in_time)["predictions"] == [222.0]
    until(lambda: holds_nothing(live), "both are settled, though nobody looked the late one up")
    assert live.status(late) == "expired"
    assert computed(live, 110.0) == 0


@pytest.mark.parametrize("skew", [3600, -3600])
def test_worker_with_a_wrong_clock_expires_only_overdue_predictions(
    live: LiveStack, skew: int
) -> None:
    live.stop("worker")
    late = live.submit("sleepy", [115.0, 0.0], max_queue_seconds=0.05)["id"]
    in_time = live.submit("sleepy", [116.0, 0.0], max_queue_seconds=FOR_EVER)["id"]
    time.sleep(0.1)  # longer than the late one may wait
    live.start("worker", PYTHONPATH=str(SKEWED), PROVE_SKEW=str(skew))
    try:
        assert live.outcome(in_time)["predictions"] == [232.0]
        until(lambda: holds_nothing(live), "both are settled, though nobody looked the late one up")
        assert live.status(late) == "expired"
        assert computed(live, 115.0) == 0
    finally:
        live.stop("worker")
        live.start("worker")


def test_started_prediction_does_not_expire(live: LiveStack) -> None:
    task_id = live.submit("sleepy", [120.0, 0.8], max_queue_seconds=0.5)["id"]
    until(lambda: live.status(task_id) == "running", "its start")
    assert live.outcome(task_id)["predictions"] == [240.0]


@pytest.mark.parametrize(
    ("model", "fields"),
    [("sleepy", {"timeout_seconds": 0.3}), ("sleepy", {"timeout_seconds": 0.05}), ("hasty", {})],
)
def test_time_limit_fails_a_long_computation(
    live: LiveStack, model: str, fields: dict[str, float]
) -> None:
    started = time.monotonic()
    outcome = live.outcome(live.submit(model, [1.0, FOR_EVER], **fields)["id"])
    assert time.monotonic() - started < 5
    assert outcome["error"]["code"] == "timed_out"
    assert (outcome["error"]["retryable"], outcome["error"]["attempt"]) == (False, 1)


def test_timeout_of_a_request_takes_precedence_over_its_version(live: LiveStack) -> None:
    task_id = live.submit("hasty", [130.0, 0.6], timeout_seconds=FOR_EVER)["id"]
    assert live.outcome(task_id)["predictions"] == [260.0]


def test_smallest_limit_ends_a_microbatch_and_charges_the_slow_alone(
    live: LiveStack,
) -> None:
    """Hazard 9."""
    with live.gathering():
        good = [live.submit("sleepy", [140.0 + n, 0.0])["id"] for n in range(5)]
        slow = live.submit("sleepy", [150.0, FOR_EVER], timeout_seconds=0.3)["id"]
        # In a shared microbatch the smallest limit applies; alone, a message has its own.
        calm = live.submit("sleepy", [151.0, 0.5], timeout_seconds=FOR_EVER)["id"]
    answers = [live.outcome(task_id) for task_id in good]
    assert [answer["predictions"] for answer in answers] == [[280.0 + 2 * n] for n in range(5)]
    assert live.outcome(calm)["predictions"] == [302.0]
    error = live.outcome(slow)["error"]
    assert error["code"] == "timed_out"
    assert "worker_lost" not in str(answers)
    until(lambda: holds_nothing(live), "all is settled")


def test_stock_producers_limits_are_heeded(live: LiveStack, stock: Stock) -> None:
    slow = stock.submit("sleepy", [[1.0, FOR_EVER]], time_limit=0.3)
    assert live.outcome_of_stock(slow)["error"]["code"] == "timed_out"
    usual = stock.submit("hasty", [[1.0, FOR_EVER]])
    assert live.outcome_of_stock(usual)["error"]["code"] == "timed_out"


@pytest.mark.parametrize("limit", [-1, 0, "soon", [], {}, True, 10**400, None], ids=str)
def test_null_limit_is_no_limit(live: LiveStack, stock: Stock, limit: object) -> None:
    task_id = stock.submit("doubling", [[4.0, 0.0]], headers={"timelimit": [limit, None]})
    assert live.outcome_of_stock(task_id)["predictions"] == [8.0]


def test_countdown_longer_than_the_visibility_timeout_is_waited_for_once(
    live: LiveStack, stock: Stock
) -> None:
    sent, seconds = time.time(), VISIBILITY + 1
    task_id = stock.submit("sleepy", [[160.0, 0.0]], countdown=seconds)
    assert live.predict("doubling", [1.0, 0.0]) == [2.0]  # a lone request is not waited for
    assert computed(live, 160.0) == 0
    outcome = live.outcome_of_stock(task_id)
    assert time.time() - sent >= seconds
    assert outcome["predictions"] == [320.0]
    until(lambda: holds_nothing(live), "it is settled")
    assert computed(live, 160.0) == 1


def test_prediction_longer_than_the_visibility_timeout_runs_once(live: LiveStack) -> None:
    """Hazard 6, with the shortest permitted visibility timeout."""
    with live.gathering():
        long = live.submit("sleepy", [170.0, 2 * VISIBILITY + 0.5])["id"]
    receipt = live.outcome(long)["receipt"]
    assert receipt["attempt"] == 1
    assert computed(live, 170.0) == 1


@pytest.mark.parametrize("field", ["max_queue_seconds", "timeout_seconds"])
@pytest.mark.parametrize("seconds", [0, -1, 1e9, "1", True, float("nan"), float("inf"), [1]])
def test_invalid_limits_are_refused(live: LiveStack, field: str, seconds: object) -> None:
    body = {"model": "doubling", "features": [1.0, 0.0], field: seconds}
    given = {"content": json.dumps(body), "headers": {"Content-Type": "application/json"}}
    answer = live.http.post("/predict/async", **given)
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid")
    assert answer.json()["errors"][0]["loc"] == [field]


def test_null_means_no_limit_of_its_own(live: LiveStack) -> None:
    fields = {"max_queue_seconds": None, "timeout_seconds": None}
    task_id = live.submit("doubling", [5.0, 0.0], **fields)["id"]
    assert live.outcome(task_id)["predictions"] == [10.0]


def test_slow_microbatch_does_not_hold_others_back(
    live: LiveStack,
) -> None:
    """Such microbatches were quick, so messages wait for this one, but only for a moment."""
    assert live.predict("sleepy", [119.0, 0.0]) == [238.0]
    with live.gathering():
        slow = [live.submit("sleepy", [value, 3.0])["id"] for value in (120.0, 121.0)]
    assert live.predict("sleepy", [122.0, 0.0]) == [244.0]
    assert [live.status(task_id) for task_id in slow] == ["running", "running"]
    for task_id in slow:
        live.outcome(task_id)
