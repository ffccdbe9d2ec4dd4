"""Invented routes and methods create no time series."""

import pytest
from flask import Flask
from prometheus_client import generate_latest

from api.operations.request_metrics import RequestMetrics
from telemetry import metrics

INVENTED = 200


@pytest.fixture
def exposed(monkeypatch: pytest.MonkeyPatch) -> tuple[bytes, int]:
    """The metrics after many requests with methods and routes of the caller's, and their growth."""
    monkeypatch.delenv("PROMETHEUS_MULTIPROC_DIR", raising=False)
    app, requests = Flask(__name__), RequestMetrics()
    requests.watch(app)
    app.get("/known/<name>")(lambda name: name)
    client, before = app.test_client(), len(generate_latest(metrics.registry()))
    for number in range(INVENTED):
        client.open(f"/invented/{number}", method=f"METHOD{number}")
        client.open(f"/known/{number}", method="GET")
        client.open("/known/a", method=f"OTHER{number}")
    requests.write()
    after = generate_latest(metrics.registry())
    return after, len(after) - before


def test_unknown_methods_and_routes_are_one_series(exposed: tuple[bytes, int]) -> None:
    text, growth = exposed
    assert b'method="other",route="other",status="404"' in text
    assert b'method="GET",route="/known/<name>",status="200"' in text
    assert b"METHOD" not in text
    assert b"invented" not in text
    assert growth < 50_000
