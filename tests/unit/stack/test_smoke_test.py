"""A smoke test over real HTTP: submitted once, polled, and given up only when stuck."""

import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from registry.readiness import READY, Readiness
from registry.store import Registry
from stack import smoke_test
from stack.smoke_test import SmokePrediction, SmokeTest
from tests.support.models import described
from tests.unit.fake_server import (
    DROP,
    Answer,
    StandIn,
    outcome,
    pending,
    problem,
    stand_in,
    succeeded,
)


def stats(settled=0, waiting=0, loaded=()):
    version = {"succeeded": settled, "failed": 0}
    queues = {"predict": waiting, "bulk": 0}
    workers = [{"name": "w", "loaded": list(loaded)}]
    body = {"queues": queues, "reserved": 0, "workers": workers, "predictions": [version]}
    return Answer(200, body)


@pytest.fixture
def service(monkeypatch) -> Iterator[StandIn]:
    """Check progress and print at every poll, with a timeout of 0.3 s."""
    monkeypatch.setattr(smoke_test, "PROGRESS_INTERVAL", 0.0)
    monkeypatch.setattr(smoke_test, "REPORT_INTERVAL", 0.0)
    monkeypatch.setattr(smoke_test, "PROGRESS_TIMEOUT", 0.3)
    with stand_in() as service:
        yield service


@pytest.fixture
def told() -> list[str]:
    return []


@pytest.fixture
def smoke(service, told) -> SmokePrediction:
    return SmokePrediction(SmokeTest("iris", [5.1, 3.5]), urlsplit(service.url).port, told.append)


def test_smoke_test_leaves_out_a_model_that_is_not_ready(tmp_path):
    registry = Registry(tmp_path)
    for name, state in {"refused": Readiness("refused", "row 3 differs"), "ready": READY}.items():
        registry.add(name, described(b"one"), b"one", state=state)
    assert [test.model for test in SmokeTest.flock(tmp_path)] == ["ready"]


def test_curl_shows_the_file_of_a_key_where_one_is_needed():
    test = SmokeTest("iris", [5.1])
    assert "authorization" not in test.curl("http://127.0.0.1:5000")
    told = test.curl("http://127.0.0.1:5000", Path("/a home/local.key"))
    assert """ -H "authorization: Bearer $(cat '/a home/local.key')" """ in told


def run_to_the_end(smoke):
    while not smoke.poll():
        time.sleep(0.01)
    return smoke.fault


def test_smoke_test_of_a_prediction_that_succeeds(service, smoke):
    service.behave = lambda asked: {
        "/predict/async": pending(),
        "/predict/result/p1": succeeded([0]),
        "/stats": stats(),
    }[asked.path]
    assert run_to_the_end(smoke) == ""
    assert service.asked[0].body == {"model": "iris", "features": [5.1, 3.5]}


@pytest.mark.parametrize(
    ("answer", "fault"),
    [
        (outcome("failed", error={"code": "model_error", "message": "no"}), "model_error"),
        (outcome("cancelled"), "cancelled"),
        (problem(422, "invalid_features"), "invalid_features"),
        (Answer(500, b"<html>"), "HTTP 500"),
    ],
)
def test_smoke_test_reports_everything_else_as_a_fault(service, smoke, answer, fault):
    service.script(answer)
    assert run_to_the_end(smoke) == fault


def test_smoke_test_repeats_a_submission_under_its_key(service, smoke):
    answers = [DROP, problem(503, "queue_full"), pending()]

    def behave(asked):
        if asked.method == "POST":
            return answers.pop(0)
        return stats() if asked.path == "/stats" else succeeded([0])

    service.behave = behave
    assert run_to_the_end(smoke) == ""
    posts = [asked for asked in service.asked if asked.method == "POST"]
    assert len(posts) == 3
    assert len({post.headers["idempotency-key"] for post in posts}) == 1


def test_smoke_test_waits_while_a_backlog_shrinks(service, smoke, told):
    start = time.monotonic()
    work = iter(range(10_000))

    def behave(asked):
        if asked.path == "/stats":
            return stats(settled=next(work), waiting=2311)
        done = time.monotonic() - start > 3 * smoke_test.PROGRESS_TIMEOUT
        return succeeded([0]) if done else pending()

    service.behave = behave
    assert run_to_the_end(smoke) == ""
    assert told[0] == "canary  behind 2,310 queued predictions"
    assert [path for method, path in service.calls if method == "POST"] == ["/predict/async"]


def test_smoke_test_wait_ends_without_progress(service, smoke):
    service.behave = lambda asked: stats(7, 3) if asked.path == "/stats" else pending()
    with pytest.raises(TimeoutError):
        run_to_the_end(smoke)


def test_smoke_test_blames_a_model_that_never_ends(service, smoke):
    running = pending(status="running")
    service.behave = lambda asked: stats(7, 3) if asked.path == "/stats" else running
    assert run_to_the_end(smoke).startswith("no outcome")


def test_smoke_test_counts_repeated_loading_as_no_progress(service, smoke):
    looks = iter(range(10_000))

    def behave(asked):
        if asked.path == "/stats":
            return stats(7, 3, ["iris:1"] if next(looks) % 2 else [])
        return pending()

    service.behave = behave
    with pytest.raises(TimeoutError):
        run_to_the_end(smoke)
