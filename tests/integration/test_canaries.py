"""Canaries show that the way through a queue works, and users' figures know nothing of them."""

from collections.abc import Iterator

import pytest

from tests.models import Doubling, register
from tests.stack import Json, LiveStack, running, until

ROW = [1.0, 0.0]
INTERVAL = 0.5


@pytest.fixture(scope="module")
def watched(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveStack]:
    home = tmp_path_factory.mktemp("watched")
    register(home, "doubling", Doubling(), [ROW])
    with running(home, PREDICTQ_CANARY_INTERVAL=str(INTERVAL)) as stack:
        yield stack


def canary(stack: LiveStack) -> Json | None:
    return stack.http.get("/stats").json()["canaries"].get("predict")


def age(stack: LiveStack) -> float:
    """Seconds, of one that is known."""
    found = canary(stack)
    assert found
    return float(found["age_seconds"])


def test_they_come_back_again_and_again(watched: LiveStack) -> None:
    first = until(lambda: canary(watched), "a canary")
    assert 0 < first["seconds"] < first["age_seconds"]
    until(lambda: age(watched) > 3 * INTERVAL, "time")
    until(lambda: age(watched) < 3 * INTERVAL, "another")


def test_their_age_shows_a_way_that_is_blocked(watched: LiveStack) -> None:
    until(lambda: canary(watched), "a canary")
    with watched.frozen_pool():
        until(lambda: age(watched) > 5 * INTERVAL, "an old canary")
        assert watched.http.get("/stats").json()["reserved"] == 1, "one at a time"
        assert 'predictq_canary_age_seconds{queue="predict"}' in watched.http.get("/metrics").text
    until(lambda: age(watched) < 3 * INTERVAL, "the way is free")


def test_users_figures_know_nothing_of_them(watched: LiveStack) -> None:
    until(lambda: canary(watched), "a canary")
    assert watched.predict("doubling", ROW) == [2.0]
    (version,) = watched.http.get("/stats").json()["predictions"]
    assert (version["model"], version["succeeded"]) == ("doubling", 1)
    assert 'model="canary"' not in watched.http.get("/metrics").text
    refused = watched.http.post("/predict", json={"model": "canary:0", "features": ROW})
    assert refused.status_code == 422
