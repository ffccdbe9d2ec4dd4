"""Hazard 12: Redis stops replying during a submission; the 503 names the id, which stays valid."""

import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx2
import pytest

from predictq import Client
from tests.support.models import with_models_of
from tests.support.stack import Json, LiveStack, running, until

pytestmark = pytest.mark.slow

ROW = [5.1, 3.5, 1.4, 0.2]
BODY: Json = {"model": "iris", "features": ROW}


def connect(stack: LiveStack) -> None:
    """Open a connection, so that a submission is sent before the silence is noticed."""
    for _ in range(2):  # the first one is for Flask, which reads the registry
        stack.submit("iris", ROW)


@pytest.fixture
def connected(stack: LiveStack) -> LiveStack:
    connect(stack)
    return stack


@pytest.fixture(scope="module")
def own_stack(constant_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveStack]:
    home = with_models_of(constant_home, tmp_path_factory.mktemp("uncertain"))
    with running(home, forks=True) as stack:
        yield stack


def submit(stack: LiveStack, **headers: str) -> httpx2.Response:
    return stack.http.post("/predict/async", json=BODY, headers=headers)


def doubtful_id(answer: httpx2.Response) -> str:
    problem = answer.json()
    assert (answer.status_code, problem["code"]) == (503, "submission_uncertain"), problem
    assert problem["retryable"]
    assert int(answer.headers["retry-after"]) >= 1
    assert problem["id"] in problem["detail"]
    return problem["id"]


def test_uncertain_submission_s_id_answers_once_redis_is_back(connected: LiveStack) -> None:
    with connected.frozen("redis"):
        task_id = doubtful_id(submit(connected))
    assert connected.outcome(task_id)["predictions"] == [0]


def test_uncertain_submission_is_repeated_under_its_key(connected: LiveStack) -> None:
    key = {"Idempotency-Key": uuid.uuid4().hex}
    with connected.frozen("redis"):
        task_id = doubtful_id(submit(connected, **key))
    again = submit(connected, **key)
    assert (again.status_code in (200, 202), again.json()["id"]) == (True, task_id)
    assert connected.outcome(task_id)["predictions"] == [0]


def test_uncertain_submission_that_was_not_accepted_is_unknown(own_stack: LiveStack) -> None:
    connect(own_stack)
    with own_stack.frozen("redis"):
        task_id = doubtful_id(submit(own_stack))
        own_stack.kill("redis")  # with the bytes that it had not read
    own_stack.start("redis")
    answer = until(lambda: _look_up(own_stack, task_id), "an answer")
    assert (answer.status_code, answer.json()["code"]) == (404, "prediction_not_found")


def _look_up(stack: LiveStack, task_id: str) -> httpx2.Response | None:
    answer = stack.http.get(f"/predict/result/{task_id}")
    return None if answer.status_code == 503 else answer


def test_unsent_submission_is_certain(own_stack: LiveStack) -> None:
    connect(own_stack)
    own_stack.kill("redis")
    problem = submit(own_stack).json()
    own_stack.start("redis")
    assert problem["code"] == "unavailable"
    assert "id" not in problem


@contextmanager
def frozen_redis(stack: LiveStack, seconds: float) -> Iterator[None]:
    """Freeze Redis for ``seconds`` in the background."""
    frozen, over = threading.Event(), threading.Event()

    def freeze() -> None:
        with stack.frozen("redis"):
            frozen.set()
            over.wait(seconds)

    thread = threading.Thread(target=freeze)
    thread.start()
    frozen.wait()
    try:
        yield
    finally:
        over.set()
        thread.join()


@pytest.mark.parametrize("key", [None, "a key"])
def test_client_resolves_an_uncertain_submission(connected: LiveStack, key: str | None) -> None:
    key = key and uuid.uuid4().hex
    with Client(connected.url) as client:
        with frozen_redis(connected, 1.5):
            pending = client.submit("iris", ROW, idempotency_key=key)
        answer = client.result(pending.id, wait=30)
        assert answer.predictions == [0]
        with frozen_redis(connected, 1.5):
            assert client.predict("iris", ROW, timeout=60).predictions == [0]
