"""A stack that asks every caller for a key: what callers without one get, and what works on it."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from api.watch.running import scraping_key
from predictq import Client, InvalidRequest
from tasks.alerts.watching.scraping import UP, Scraper
from tests.support.models import with_models_of
from tests.support.openid.provider import Provider, providing
from tests.support.stack import LiveStack, running

ROW = [5.1, 3.5, 1.4, 0.2]
OPEN = "/health", "/ready", "/docs", "/openapi.json", "/v2/health/ready", "/console/sign-in"


@pytest.fixture(scope="module")
def provider() -> Iterator[Provider]:
    with providing() as provider:
        yield provider


@pytest.fixture(scope="module")
def closed(
    constant_home: Path, tmp_path_factory: pytest.TempPathFactory, provider: Provider
) -> Iterator[LiveStack]:
    home = with_models_of(constant_home, tmp_path_factory.mktemp("closed"))
    of_scopes = 'scopes_claim = "scope"\ntenant_claim = "team"\nrate = "2/h"\n'
    issuers = str(provider.file(home / "issuers.toml", of_scopes))
    settings = {"PREDICTQ_REQUIRE_KEYS": "1", "PREDICTQ_ISSUERS_FILE": issuers}
    with running(home, forks=True, **settings) as stack:
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


def test_client_with_a_jwt_is_told_limited_and_recorded_like_one_with_a_key(
    closed: LiveStack, provider: Provider
) -> None:
    subject = f"ada-{time.time_ns()}"  # another one if the test is repeated: it has a limit
    token = provider.token(scope="openid predict", team="risk", sub=subject)
    with Client(closed.url, key=token) as client:
        ours = client.predict("iris", ROW)
        assert ours.predictions == [0]
        with pytest.raises(
            InvalidRequest, match=f"the caller '127.0.0.1/{subject}' lacks the scope"
        ):
            client.keys.create("mine", scopes=["admin"])
        client.predict("iris", ROW)
    body, headers = {"model": "iris", "features": ROW}, {"Authorization": f"Bearer {token}"}
    answer = closed.http.post("/predict", json=body, headers=headers)
    assert (answer.status_code, answer.headers["RateLimit-Policy"]) == (
        429,
        '"requests";q=2;w=3600',
    )
    path = f"/predict/result/{ours.id}"
    for team, status in (("risk", 200), ("web", 404)):
        other = provider.token(scope="predict", team=team, sub="grace")
        answer = closed.http.get(path, headers={"Authorization": f"Bearer {other}"})
        assert answer.status_code == status
    expired = {"Authorization": f"Bearer {provider.token(exp=1)}"}
    answer = closed.http.get("/models", headers=expired)
    assert (answer.status_code, answer.json()["code"]) == (401, "token_expired")
    lines = closed.owner.get("/audit?part=refusals").text
    assert f'"caller":"127.0.0.1/{subject}"' in lines.replace(": ", ":")
    assert token not in lines
    assert token not in closed.logs()
