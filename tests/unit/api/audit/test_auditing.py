"""What requests leave in the audit log."""

import asyncio
import logging
from pathlib import Path
from typing import Any

import pytest

from api.asgi import admission
from api.asgi.admission import Admission
from api.audit import auditing as module
from api.audit.auditing import Auditing
from api.callers.access import ACCESS, is_audited
from api.operations.request_metrics import RequestMetrics
from registry.audit.entry import AuditLine
from registry.audit.trail import AuditTrail
from tasks.callers.caller import UNKNOWN_CALLER, Caller
from tasks.callers.scopes import Scope
from tasks.callers.tokens import make_token
from telemetry.errors import KeyInvalid, KeyRevoked

OPERATOR = Caller(frozenset(("operate", "models:write")), key="k1", name="ops", tenant="risk")


class Requests:
    """Sends requests through an admission whose application answers with one status."""

    def __init__(self, home: Path, status: int = 200, caller: Caller | None = OPERATOR) -> None:
        self._home, self.statuses = home, list[int]()
        self._caller, self._status = caller, status

        async def presented(*given: object) -> Caller:
            return await self.caller(*given)

        told: Any = self._app, presented, UNKNOWN_CALLER, None, RequestMetrics(), Auditing(home)
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

    def ask(self, method: str, path: str, *headers: tuple[bytes, bytes], token: str = "x") -> None:
        scope: Any = {
            "type": "http",
            "method": method,
            "path": path,
            "headers": [(b"authorization", f"Bearer {token}".encode()), *headers],
            "client": ("10.0.0.7", 4000),
        }
        receive: Any = None
        asyncio.run(self._admission(scope, receive, self._send))

    def changes(self) -> list[AuditLine]:
        return list(AuditTrail(self._home).lines())

    def refusals(self) -> list[AuditLine]:
        return list(AuditTrail(self._home, "refusals").lines())


def test_audit_holds_a_change_and_its_answer(tmp_path: Path) -> None:
    asked = Requests(tmp_path, status=409)
    asked.ask("PUT", "/models/churn/aliases/production", (b"x-request-id", b"r-1" + b"x" * 90))
    (line,) = asked.changes()
    assert (line.caller, line.key, line.tenant, line.address) == ("ops", "k1", "risk", "10.0.0.7")
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
    assert (asked.changes(), asked.refusals()) == ([], [])


def test_audit_holds_a_refusal_with_its_key(tmp_path: Path) -> None:
    asked = Requests(tmp_path)
    asked.ask("GET", "/keys")
    asked.ask("GET", "/nothing/here")
    (line,) = asked.refusals()
    assert (line.caller, line.status, line.path) == ("ops", 403, "/keys")
    assert asked.statuses == [403, 404]


def test_audit_of_a_flood_is_bounded_and_counts_the_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    second = 5.0
    monkeypatch.setattr("api.limits.per_second.monotonic", lambda: second)
    asked = Requests(tmp_path, caller=None)
    for _ in range(module.REFUSALS_PER_SECOND + 7):
        asked.ask("POST", "/predict")
    assert {line.unrecorded for line in asked.refusals()} == {0}
    second = 6.0
    asked.ask("POST", "/predict")
    *_, last = asked.refusals()
    assert (last.id, last.unrecorded, last.status) == (module.REFUSALS_PER_SECOND + 1, 7, 401)


def test_audit_that_cannot_be_written_is_logged_with_its_entry(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    asked = Requests(tmp_path)
    monkeypatch.setattr(AuditTrail, "append", full)
    with caplog.at_level(logging.ERROR):
        asked.ask("POST", "/dead-letters/replay")
    assert asked.statuses == [200]
    (record,) = caplog.records
    assert vars(record)["entry"]["path"] == "/dead-letters/replay"


def test_audit_holds_a_change_whose_key_was_revoked_meanwhile(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The change is made, though its caller gets no answer any more."""
    asked = Requests(tmp_path)
    monkeypatch.setattr(admission, "ADMITTED_SECONDS", -1.0)
    answers = iter([OPERATOR])

    async def caller(*_: object) -> Caller:
        for found in answers:
            return found
        raise KeyRevoked

    monkeypatch.setattr(asked, "caller", caller)
    with pytest.raises(TimeoutError, match="key_revoked"):
        asked.ask("POST", "/models/churn/versions")
    assert asked.statuses == []
    assert [line.path for line in asked.changes()] == ["/models/churn/versions"]


def test_audit_names_a_key_that_is_not_accepted(tmp_path: Path) -> None:
    text, token = make_token()
    asked = Requests(tmp_path, caller=None)
    asked.ask("POST", "/predict", token=text)
    (line,) = asked.refusals()
    assert (line.caller, line.key) == ("", token.id)
    assert text not in repr(line)


@pytest.mark.parametrize(
    ("path", "status", "scope"),
    [
        ("/predict/batch", 403, "batch"),  # refused inside the view
        ("/console/dead-letters/replay", 403, "operate"),
        ("/console/dead-letters/replay", 303, "metrics"),  # without the right to it
    ],
)
def test_audit_holds_refusals_of_views_apart_from_changes(
    tmp_path: Path, path: str, status: int, scope: Scope
) -> None:
    asked = Requests(tmp_path, status=status, caller=Caller(frozenset([scope]), name="viewer"))
    asked.ask("POST", path)
    assert asked.changes() == []
    assert [(line.caller, line.status) for line in asked.refusals()] == [("viewer", status)]


NO_CHANGES = """
    POST /predict
    POST /predict/async
    POST /predict/results
    DELETE /predict/result/<>
    POST /predict/result/<>/label
    POST /predict/labels
    POST /models/<>/predict
    POST /models/<>/versions/<>/predict
    POST /models/<>/batch_predict
    POST /v2/models/<>/infer
    POST /v2/models/<>/versions/<>/infer
    POST /v2/repository/index
    POST /console/predictions/<>/cancel
    POST /console/try/<>
    POST /predict/batch
    POST /predict/batch/validate
    DELETE /predict/batch/<>
    POST /predict/batch/<>/resume
    POST /console/batches/<>/cancel
    POST /console/batches/<>/resume
    POST /console/batches/<>/delete
    POST /console/sign-in
    POST /console/sign-out
"""
"""Routes that are not safe and change nothing but what is the caller's: predictions, batch jobs,
labels, sessions."""


def test_audit_holds_every_route_that_changes_what_others_use() -> None:
    """A new route that is not safe is a change, or stands in `NO_CHANGES`."""
    unsafe = [route for route in ACCESS if not route.startswith("GET ")]
    requests = {route: route.replace("<>", "x").split(" ") for route in unsafe}
    unaudited = {route for route, request in requests.items() if not is_audited(*request)}
    assert unaudited == {line.strip() for line in NO_CHANGES.strip().splitlines()}
    reading = [route for route in ACCESS if route.startswith("GET ")]
    assert not any(is_audited("GET", route.removeprefix("GET ")) for route in reading)
