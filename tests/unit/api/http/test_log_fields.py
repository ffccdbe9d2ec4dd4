"""The fields of a log line about a request."""

import logging

import pytest
import redis
from flask import Flask

from api.http import problems
from api.http.log_fields import of_request
from api.limits.concurrency import ConcurrencyLimit
from telemetry.errors import Lost
from telemetry.log_throttle import LogThrottle


@pytest.fixture
def app(monkeypatch: pytest.MonkeyPatch) -> Flask:
    # An earlier test may have logged that Redis is away, which is not logged again at once.
    monkeypatch.setattr(problems, "_outage", LogThrottle())
    app = Flask(__name__)
    problems.register(app)

    @app.get("/predict/result/<task_id>")
    def lost(task_id: str) -> str:
        raise Lost

    @app.get("/models/<name>")
    def away(name: str) -> str:
        raise redis.ConnectionError("away")

    @app.get("/dead-letters/<id>")
    def odd(id: str) -> str:
        raise KeyError("odd")

    return app


@pytest.mark.parametrize(
    ("path", "fields"),
    [
        ("/predict/result/a", {"id": "a", "route": "/predict/result/<task_id>"}),
        ("/models/iris", {"model": "iris", "route": "/models/<name>"}),
        ("/dead-letters/b", {"id": "b", "route": "/dead-letters/<id>"}),
    ],
)
def test_error_is_logged_with_the_fields_of_its_request(
    app: Flask, caplog: pytest.LogCaptureFixture, path: str, fields: dict[str, str]
) -> None:
    with caplog.at_level(logging.INFO):
        app.test_client().get(path)
    # Threads that earlier tests left behind may log as well.
    (line,) = [record for record in caplog.records if hasattr(record, "route")]
    told = {field: getattr(line, field) for field in fields}
    assert told == fields
    assert line.method == "GET"


def test_log_fields_outside_of_a_request_are_empty() -> None:
    assert of_request() == {}


def test_failed_wait_is_logged_with_its_id(caplog: pytest.LogCaptureFixture) -> None:
    def fail() -> None:
        raise redis.TimeoutError

    assert ConcurrencyLimit(1).wait("an-id", fail, None) == (None, False)
    assert caplog.records[0].id == "an-id"
