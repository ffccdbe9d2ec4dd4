"""A submission repeated under its Idempotency-Key is the same prediction."""

import uuid
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.support.stack import LiveStack

ROW = [5.1, 3.5, 1.4, 0.2]
BODY = {"model": "iris", "features": ROW}


def _headers() -> dict[str, str]:
    return {"Idempotency-Key": uuid.uuid4().hex}


def test_idempotency_key_and_payload_give_the_same_prediction(stack: LiveStack) -> None:
    headers = _headers()
    first = stack.http.post("/predict", json=BODY, headers=headers).json()
    again = stack.http.post("/predict/async", json=BODY, headers=headers)
    assert (again.status_code, again.json()) == (200, first)


def test_concurrent_submissions_under_one_key_are_one_prediction(stack: LiveStack) -> None:
    headers = _headers()
    with ThreadPoolExecutor(8) as pool:
        posts = [
            pool.submit(stack.http.post, "/predict", json=BODY, headers=headers) for _ in range(16)
        ]
    assert len({post.result().json()["id"] for post in posts}) == 1


def test_idempotency_key_with_another_payload_is_refused(stack: LiveStack) -> None:
    headers = _headers()
    stack.http.post("/predict/async", json=BODY, headers=headers)
    answer = stack.http.post("/predict/async", json={**BODY, "model": "iris:1"}, headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (422, "idempotency_conflict")


@pytest.mark.parametrize("key", ["", "k" * 256])
def test_idempotency_key_that_is_malformed_is_refused(stack: LiveStack, key: str) -> None:
    answer = stack.http.post("/predict/async", json=BODY, headers={"Idempotency-Key": key})
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid")


def test_submissions_without_a_key_are_separate_predictions(stack: LiveStack) -> None:
    ids = {stack.http.post("/predict/async", json=BODY).json()["id"] for _ in range(3)}
    assert len(ids) == 3
