"""Health, readiness, metrics and statistics."""

from typing import Any

from prometheus_client.parser import text_string_to_metric_families

from tests.support.stack import Json, LiveStack, until

ROW = [5.1, 3.5, 1.4, 0.2]
SUCCEEDED = {"model": "iris", "version": "1", "outcome": "succeeded"}


def samples(stack: LiveStack) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
    """Scrape the metrics and parse every sample."""
    answer = stack.http.get("/metrics")
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/plain; version=")
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    }


def value(found: dict[Any, float], name: str, **labels: str) -> float:
    return found.get((name, frozenset(labels.items())), 0.0)


def of_iris(stack: LiveStack) -> Json:
    predictions = stack.http.get("/stats").json()["predictions"]
    return next(entry for entry in predictions if (entry["model"], entry["version"]) == ("iris", 1))


def test_health(stack: LiveStack) -> None:
    answer = stack.http.get("/health")
    assert (answer.status_code, answer.json()) == (200, {"status": "ok"})


def test_ready(stack: LiveStack) -> None:
    answer = stack.http.get("/ready")
    assert (answer.status_code, answer.json()) == (
        200,
        {"ready": True, "redis": True, "workers": 1},
    )


def test_counters_grow_with_each_prediction(stack: LiveStack) -> None:
    assert stack.serves()
    before = samples(stack)
    for _ in range(3):
        stack.predict("iris", [ROW, ROW])
    after = samples(stack)

    def growth(name: str, **labels: str) -> float:
        return value(after, name, **labels) - value(before, name, **labels)

    version = {"model": "iris", "version": "1"}
    assert growth("predictq_predictions_total", **SUCCEEDED) == 3
    assert growth("predictq_rows_total", **version) == 6
    assert growth("predictq_prediction_seconds_count", **version) == 3
    assert growth("predictq_prediction_seconds_bucket", **version, le="+Inf") == 3
    assert growth("predictq_prediction_seconds_sum", **version) > 0
    submissions = {"route": "/predict/async", "method": "POST", "status": "202"}
    assert growth("predictq_http_requests_total", **submissions) == 3
    assert growth("predictq_http_request_seconds_count", route="/predict/async") == 3


def test_errors_are_counted_and_paths_make_no_series(stack: LiveStack) -> None:
    refused = {"route": "other", "method": "GET", "status": "404"}
    before = value(samples(stack), "predictq_http_requests_total", **refused)
    for number in range(3):
        stack.http.get(f"/nowhere/{number}")
    after = samples(stack)
    assert value(after, "predictq_http_requests_total", **refused) == before + 3
    assert not [labels for _, labels in after if "nowhere" in str(labels)]


def test_gauges_show_the_state(stack: LiveStack) -> None:
    found = samples(stack)
    assert value(found, "predictq_redis_up") == 1
    assert value(found, "predictq_workers") == 1
    assert ("predictq_queue_messages", frozenset({("queue", "predict")})) in found
    assert ("predictq_queue_messages", frozenset({("queue", "bulk")})) in found
    assert ("predictq_reserved_messages", frozenset()) in found
    memory = [v for (name, _), v in found.items() if name == "predictq_worker_memory_bytes"]
    assert len(memory) == 1
    assert memory[0] > 50e6


def test_metrics_show_a_backlog(stack: LiveStack) -> None:
    def backlog() -> tuple[float, float]:
        found = samples(stack)
        queued = value(found, "predictq_queue_messages", queue="predict")
        return queued, value(found, "predictq_reserved_messages")

    until(lambda: backlog() == (0, 0), "an empty queue")
    with stack.frozen_pool():
        ids = [stack.submit("iris", ROW)["id"] for _ in range(10)]
        until(lambda: sum(backlog()) == 10 and backlog()[1] >= 2, "a batch for each process")
        stats = stack.http.get("/stats").json()
        assert stats["queues"] == {"predict": 10 - stats["reserved"], "bulk": 0}
    assert all(stack.outcome(task_id)["status"] == "succeeded" for task_id in ids)
    until(lambda: backlog() == (0, 0), "an empty queue")


def test_statistics_count_and_measure(stack: LiveStack) -> None:
    assert stack.serves()
    before = of_iris(stack)
    stack.predict("iris", [ROW] * 5)
    after = of_iris(stack)
    assert after["succeeded"] == before["succeeded"] + 1
    assert after["rows"] == before["rows"] + 5
    decided = after["succeeded"] + after["failed"]
    assert after["success_rate"] == after["succeeded"] / decided
    latency = after["latency_seconds"]
    assert 0 < latency["p50"] <= latency["p95"] <= latency["p99"] < 60


def test_metrics_count_a_cancelled_prediction(stack: LiveStack) -> None:
    assert stack.serves()
    before = of_iris(stack)
    with stack.frozen_pool():
        stack.http.delete(stack.submit("iris", ROW)["urls"]["cancel"])
    after = of_iris(stack)
    assert after["cancelled"] == before["cancelled"] + 1
    assert after["success_rate"] == before["success_rate"]


def test_statistics_show_process_and_workers(stack: LiveStack) -> None:
    assert stack.serves()
    stats = stack.http.get("/stats").json()
    assert stats["uptime_seconds"] > 0
    assert stats["memory_bytes"] > 10e6
    (worker,) = stats["workers"]
    assert worker["processes"] == 2
    assert worker["memory_bytes"] > 50e6
    assert worker["name"].startswith("celery@")
    assert "iris:1" in worker["loaded"]
    again = stack.http.get("/stats").json()
    assert again["uptime_seconds"] > stats["uptime_seconds"]


def test_scale_asks_for_replicas_while_rows_wait(stack: LiveStack) -> None:
    def scale(**query: str) -> Json:
        answer = stack.http.get("/scale", params={"max": "50", "wait": "0.000001", **query})
        assert answer.status_code == 200, answer.text
        return answer.json()

    def rows_of(now: Json) -> int:
        return int(now["demand"]["rows_waiting"] + now["demand"]["rows_computing"])

    def is_calm() -> bool:
        now = scale()
        measured = now["demand"]["rows_per_second"]
        return now["replicas"] <= 2 and measured and not now["demand"]["rows_waiting"]

    assert stack.serves()
    until(is_calm, "nothing waits, and the speed is known")
    with stack.frozen_pool():
        ids = [stack.submit("iris", [ROW] * 3)["id"] for _ in range(10)]
        # The part that workers hold is in their next heartbeat.
        until(lambda: rows_of(scale()) == 30, "all of them, computed and waiting")
        asked = scale()
        assert asked["replicas"] >= asked["demand"]["messages_waiting"] >= 5
        assert f"{asked['demand']['rows_waiting']} rows waiting" in asked["reason"]
        assert scale(max="2", each="2")["replicas"] == 2
    assert all(stack.outcome(task_id)["status"] == "succeeded" for task_id in ids)
    until(is_calm, "nothing waits any more")


def test_scale_refuses_what_it_does_not_know(stack: LiveStack) -> None:
    for query, told in (
        ("queue=bulk", "no queue of predictions is 'bulk'; there are predict"),
        ("min=3&max=2", "min is 3, which is more than max, 2"),
        ("wait=0", "wait"),
        ("maximum=9", "maximum"),
    ):
        answer = stack.http.get(f"/scale?{query}")
        assert answer.status_code == 422, query
        assert told in answer.text


def test_metrics_of_flower_s_kind_stay_out(stack: LiveStack) -> None:
    """Every sample is in our catalogue; there are no undeclared series."""
    assert {name.split("_")[0] for name, _ in samples(stack)} == {"predictq"}
