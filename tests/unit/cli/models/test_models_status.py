"""`predictq models status` and `predictq console`: what they print of a server's answers."""

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from cli.console import console
from cli.models import status as module
from cli.models.status import status
from stack import sign_in
from stack.http import CallResult
from stack.running import RunningStack

VERSION = {
    "model": "m",
    "version": 2,
    "status": "ready",
    "paused": False,
    "aliases": ["production", "staging"],
    "shares": {"production": 10, "staging": 100},
    "workers": ["celery@host"],
    "outcomes": {"succeeded": 5, "failed": 1},
    "p50_seconds": 0.01234,
    "p99_seconds": None,
}
FOUND = {
    "versions": [
        VERSION,
        VERSION | {"version": 1, "paused": True, "aliases": [], "shares": {}, "workers": []},
    ],
    "checking": [
        {"model": "m", "version": 3, "waiting_for": "no_worker"},
        {"model": "n", "version": 1},
    ],
}


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    calls: list[Any] = []
    monkeypatch.setattr(module, "ask", lambda *given: calls.append(given) or FOUND)
    return calls


def test_models_status_prints_a_line_for_each_version(asked: list[Any]) -> None:
    printed = CliRunner().invoke(status, ["--url", "http://127.0.0.1:1"]).output.splitlines()
    assert asked == [("http://127.0.0.1:1", "GET", "models/status")]
    assert printed[1].split() == [
        *("m:2", "ready", "production=10%,staging", "celery@host", "5", "1", "0.0123", "s", "-"),
    ]
    assert printed[2].split()[:4] == ["m:1", "paused", "-", "-"]
    assert printed[3:] == ["m:3 is checked, waits for no_worker", "n:1 is checked"]


def test_models_status_prints_json(asked: list[Any]) -> None:
    printed = CliRunner().invoke(status, ["--json", "--url", "http://127.0.0.1:1"]).output
    assert json.loads(printed) == FOUND


@pytest.mark.parametrize(
    ("answer", "address"),
    [(CallResult(200, b'{"path": "/console/sign-in?code=x"}'), "/console/sign-in?code=x"),
     (CallResult(503, b"{}"), "/console")],
    ids=["code", "none"],
)  # fmt: skip
def test_console_command_prints_the_address(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, answer: CallResult, address: str
) -> None:
    stack = RunningStack(pid=1, url="http://127.0.0.1:7")
    monkeypatch.setattr("cli.console.running_stack", lambda _: stack)
    monkeypatch.setattr(sign_in, "call_http", lambda *_, **__: answer)
    printed = CliRunner().invoke(console, ["--home", str(tmp_path)])
    assert printed.output.strip() == f"http://127.0.0.1:7{address}"


def test_console_command_without_a_stack(tmp_path: Path) -> None:
    printed = CliRunner().invoke(console, ["--home", str(tmp_path)])
    assert printed.exit_code
    assert "no stack runs" in printed.output
