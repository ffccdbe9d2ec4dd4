"""What requests leave in the audit log."""

import asyncio
import logging
from pathlib import Path
from typing import Any

import pytest

from api.asgi.admission import Admission
from api.audit import auditing as module
from api.audit.auditing import Auditing
from api.callers.access import ACCESS, CHANGING, is_audited
from api.operations.request_metrics import RequestMetrics
from registry.audit.entry import AuditLine
from registry.audit.trail import AuditTrail
from tasks.callers.caller import UNKNOWN_CALLER, Caller
from telemetry.errors import KeyInvalid

OPERATOR = Caller(frozenset(("operate", "models:write")), key="k1", name="ops", tenant="risk")
READING = "predict", "batch", "models:read", "metrics"


class Requests:
    """Sends requests through an admission whose application answers with one status."""

    def __init__(self, home: Path, status: int = 200, caller: Caller | None = OPERATOR) -> None:
        self.trail, self.statuses = AuditTrail(home), list[int]()
        self._caller, self._status = caller, status
        told: Any = self._app, self, UNKNOWN_CALLER, None, RequestMetrics(), Auditing(self.trail)
        self._admission = Admission(*told)

    async def caller(self, *_: object) -> Caller:
        if self._caller is None:
            raise KeyInvalid
        return self._caller

    async def _app(self, _scope: Any, _receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": self._status, "headers": []})
        await send({"type": "http.response.body", "body": b"{}"})

    async def _send(self, event: Any) -> None:
        if event["type"] == "http.response.start":
            self.statuses.append(event["status"])

    def ask(self, method: str, path: str, *headers: tuple[bytes, bytes]) -> None:
        scope: Any = {
            "type": "http",
            "method": method,
            "path": path,
            "headers": [(b"authorization", b"Bearer x"), *headers],
            "client": ("10.0.0.7", 4000),
        }
        receive: Any = None
        asyncio.run(self._admission(scope, receive, self._send))

    def lines(self) -> list[AuditLine]:
        return list(self.trail.lines())


def test_audit_holds_a_change_and_its_answer(tmp_path: Path) -> None:
    asked = Requests(tmp_path, status=409)
    asked.ask("PUT", "/models/churn/aliases/production", (b"x-request-id", b"r-1" + b"x" * 90))
    (line,) = asked.lines()
    assert (line.who, line.key, line.tenant, line.address) == ("ops", "k1", "risk", "10.0.0.7")
    assert (line.method, line.path) == ("PUT", "/models/churn/aliases/production")
    assert (line.status, line.request_id) == (409, "r-1" + "x" * 61)
    assert asked.statuses == [409]


def test_audit_holds_no_reading_and_no_prediction(tmp_path: Path) -> None:
    caller = Caller(frozenset(("predict", "models:read", "models:write")))
    asked = Requests(tmp_path, caller=caller)
    for method, path in [
        ("GET", "/models"),
        ("POST", "/predict"),
        ("GET", "/models/churn/versions/1/artifact"),
    ]:
        asked.ask(method, path)
    assert asked.statuses == [200] * 3
    assert asked.lines() == []


def test_audit_holds_a_refusal_with_its_key(tmp_path: Path) -> None:
    asked = Requests(tmp_path)
    asked.ask("GET", "/keys")
    asked.ask("GET", "/nothing/here")
    (line,) = asked.lines()
    assert (line.who, line.status, line.path) == ("ops", 403, "/keys")
    assert asked.statuses == [403, 404]


def test_audit_of_a_flood_is_bounded_and_counts_the_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    second = 5.0
    monkeypatch.setattr(module.time, "monotonic", lambda: second)
    asked = Requests(tmp_path, caller=None)
    for _ in range(module.REFUSALS_PER_SECOND + 7):
        asked.ask("POST", "/predict")
    assert {line.unrecorded for line in asked.lines()} == {0}
    second = 6.0
    asked.ask("POST", "/predict")
    *_, last = asked.lines()
    assert (last.id, last.unrecorded, last.status) == (module.REFUSALS_PER_SECOND + 1, 7, 401)


def test_audit_that_cannot_be_written_is_logged_with_its_entry(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    asked = Requests(tmp_path)
    monkeypatch.setattr(asked.trail, "append", full)
    with caplog.at_level(logging.ERROR):
        asked.ask("POST", "/dead-letters/replay")
    assert asked.statuses == [200]
    (record,) = caplog.records
    assert vars(record)["entry"]["path"] == "/dead-letters/replay"


@pytest.mark.parametrize("route", ACCESS)
def test_audit_holds_every_route_that_changes_something(route: str) -> None:
    method, _, rule = route.partition(" ")
    path = rule.replace("<path>", "x").replace("<>", "x")
    reads = method == "GET" or ACCESS[route] in (*READING, "open") or rule == "/v2/repository/index"
    assert is_audited(method, path) is not reads
    assert set(ACCESS.values()) == {*READING, *CHANGING, "open"}
