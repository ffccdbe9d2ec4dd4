"""A stack that asks every caller for a key: what callers without one get, and what works on it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from api.watch.running import scraping_key
from predictq import Client, InvalidRequest
from tasks.alerts.watching.scraping import UP, Scraper
from tests.support.models import with_models_of
from tests.support.stack import LiveStack, running

ROW = [5.1, 3.5, 1.4, 0.2]
OPEN = "/health", "/ready", "/docs", "/openapi.json", "/v2/health/ready", "/console/sign-in"


@pytest.fixture(scope="module")
def closed(constant_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveStack]:
    home = with_models_of(constant_home, tmp_path_factory.mktemp("closed"))
    with running(home, forks=True, PREDICTQ_REQUIRE_KEYS="1") as stack:
        yield stack


def test_caller_without_a_key_gets_health_and_documentation_alone(closed: LiveStack) -> None:
    for path in OPEN:
        assert closed.http.get(path).status_code == 200, path
    for path in ("/models", "/stats", "/metrics", "/console", "/predict/result/a", "/events"):
        assert closed.http.get(path).status_code == 401, path
    answer = closed.http.post("/predict", json={"model": "iris", "features": ROW})
    assert (answer.status_code, answer.json()["code"]) == (401, "key_missing")


def test_client_with_a_key_predicts(closed: LiveStack) -> None:
    body = {"name": "web", "scopes": ["predict"]}
    token = closed.owner.post("/keys", json=body).json()["token"]
    with Client(closed.url, key=token) as client:
        assert client.predict("iris", ROW).predictions == [0]
    with Client(closed.url) as client, pytest.raises(InvalidRequest, match="`predict`"):
        client.predict("iris", ROW)


def test_watch_scrapes_with_the_local_key(
    closed: LiveStack, monkeypatch: pytest.MonkeyPatch
) -> None:
    def up(key: str) -> float:
        return Scraper(closed.url, frozenset(), key).scrape()[UP][0].value

    assert up("") == 0.0
    assert up(scraping_key(closed.home)) == 1.0
    monkeypatch.setenv("PREDICTQ_KEY", "another")
    assert scraping_key(closed.home) == "another"
    monkeypatch.delenv("PREDICTQ_KEY")
    assert scraping_key(closed.home / "nowhere") == ""
