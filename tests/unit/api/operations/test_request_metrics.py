"""Invented routes and methods create no time series."""

import pytest
from flask import Flask
from prometheus_client import generate_latest

from api.operations.request_metrics import RequestMetrics
from telemetry import metrics

INVENTED = 200


@pytest.fixture
def exposed(monkeypatch: pytest.MonkeyPatch) -> bytes:
    """The request metrics, after many requests with methods and routes of the caller's."""
    monkeypatch.delenv("PROMETHEUS_MULTIPROC_DIR", raising=False)
    app, requests = Flask(__name__), RequestMetrics()
    requests.watch(app)
    app.get("/known/<name>")(lambda name: name)
    client = app.test_client()
    for number in range(INVENTED):
        client.open(f"/invented/{number}", method=f"METHOD{number}")
        client.open(f"/known/{number}", method="GET")
        client.open("/known/a", method=f"OTHER{number}")
    requests.write()
    return generate_latest(metrics.registry())


def test_unknown_methods_and_routes_are_one_series(exposed: bytes) -> None:
    assert b'method="other",route="other",status="404"' in exposed
    assert b'method="GET",route="/known/<name>",status="200"' in exposed
    assert b"METHOD" not in exposed
    assert b"invented" not in exposed
    assert len(exposed) < 50_000
