"""`predictq models add` and `check` beside a fake stack."""

import json
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from sklearn.datasets import load_iris

from cli.models.proving import served as serving
from registry.store import Registry
from stack.pointers import Pointer, write_pointer

Answer = tuple[int, dict[str, Any]]


@contextmanager
def stack(home: Path, answers: list[Answer]) -> Iterator[list[tuple[str, Any]]]:
    """A fake stack that gives these answers in turn, and records the requests."""
    asked: list[tuple[str, Any]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            length = int(self.headers.get("Content-Length", 0))
            asked.append((self.path, json.loads(self.rfile.read(length) or "null")))
            code, body = answers[min(len(asked), len(answers)) - 1]
            content = json.dumps(body).encode()
            self.send_response(code)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST

        def log_message(self, *_: object) -> None: ...

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        said = {"pid": os.getpid(), "url": f"http://127.0.0.1:{server.server_port}"}
        home.mkdir(exist_ok=True)
        (home / "stack.json").write_text(json.dumps(said | {"flower_url": None, "redis_url": ""}))
        yield asked
        server.shutdown()


def test_models_add_returns_once_the_stack_serves_the_version(run, tmp_path, file):
    answers = [
        (503, {"status": 503, "code": "unavailable"}),
        (202, {"status": "queued", "urls": {"result": "/predict/result/1"}}),
        (200, {"status": "succeeded", "predictions": [0]}),
    ]
    with stack(tmp_path / "home", answers) as asked:
        result = run("add", "m", file)
    assert result.exit_code == 0, result.output
    assert "serving m:1 at http://127.0.0.1:" in result.output
    canary = ("/predict", {"model": "m:1", "features": [[0.0] * 4], "method": "predict"})
    assert asked == [canary, canary, ("/predict/result/1", None)]


ENDED = {"retryable": False, "id": "1", "urls": {"result": "/predict/result/1"}}
"""Fields that a prediction's problem has in addition."""


@pytest.mark.parametrize(
    "answer",
    [
        (200, {"status": "failed", "error": {"code": "model_unloadable", "message": "broken"}}),
        (422, {"status": 422, "code": "invalid", "detail": "broken"}),
        (500, {"status": 500, "code": "model_unloadable", "detail": "broken", **ENDED}),
    ],
)
def test_models_add_refuses_a_version_that_the_stack_cannot_serve(run, tmp_path, file, answer):
    assert run("add", "m", file, "--alias", "production").exit_code == 0
    with stack(tmp_path / "home", [answer]):
        result = run("add", "m", file, "--alias", "production")
        again = run("add", "m", file, "--version", "1")
    assert (result.exit_code, again.exit_code) == (1, 1)
    assert result.stderr.startswith("error: the stack ")
    assert result.stderr.endswith(
        "m:2: broken; m:2 is refused, and no name or alias resolves to it\n"
    )
    assert again.stderr.endswith("m:1: broken\n")
    registry = Registry(tmp_path / "home")
    states = [registry.readiness(manifest).status for manifest in registry.versions("m")]
    assert states == ["ready", "refused"]
    assert registry.resolve("m").manifest.version == 1
    assert registry.aliases("m") == {"production": 1}


def test_models_check_makes_a_refused_version_ready(run, tmp_path, file):
    sample = tmp_path / "sample.json"
    sample.write_text(json.dumps(load_iris().data[::30].tolist()))
    with stack(tmp_path / "home", [(422, {"status": 422, "code": "invalid", "detail": "broken"})]):
        assert run("add", "m", file, "--sample", str(sample)).exit_code == 1
    (tmp_path / "home" / "stack.json").unlink()
    shown = run("show", "m:1").stdout
    assert "refused: the stack refuses m:1: broken" in shown
    refused = run("show", "m")
    assert refused.exit_code == 1
    assert "`predictq models check m:1` tries it again" in refused.stderr
    checked = run("check", "m:1")
    assert checked.exit_code == 0, checked.output
    assert "5 rows, predict, predict_proba" in checked.stdout
    assert "ready" in run("show", "m").stdout.splitlines()[3]


def test_models_check_needs_rows(run, file):
    assert run("add", "m", file).exit_code == 0
    assert "m:1 was registered without --sample, so give --data" in run("check", "m").stderr


LOST = {"code": "worker_lost", "message": "lost its worker", "retryable": True}


@pytest.mark.parametrize(
    "answer",
    [
        (200, {"status": "failed", "error": LOST}),
        (503, {"status": 503, **ENDED, **LOST, "detail": LOST["message"]}),
    ],
)
def test_models_add_keeps_a_version_after_a_temporary_failure(run, tmp_path, file, answer):
    with stack(tmp_path / "home", [answer]):
        result = run("add", "m", file, "--alias", "production")
    assert result.stderr == "error: the stack failed while serving m:1: lost its worker\n"
    assert Registry(tmp_path / "home").aliases("m") == {}


def test_models_add_waits_for_a_stack_up_to_a_deadline(run, tmp_path, file, monkeypatch):
    monkeypatch.setattr(serving, "DEADLINE", 0.3)
    with stack(tmp_path / "home", [(503, {})]):
        result = run("add", "m", file)
    assert result.exit_code == 1
    assert "did not serve m:1 within" in result.stderr


def test_models_add_without_a_stack_says_that_nothing_is_served(run, tmp_path, file, monkeypatch):
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    home, other = tmp_path / "home", tmp_path / "other"
    plain = run("add", "m", file)
    with stack(other, []):
        url = json.loads((other / "stack.json").read_text())["url"]
        write_pointer(int(url.rpartition(":")[2]), Pointer(os.getpid(), url, str(other)))
        told = run("add", "m", file)
    words = f"no stack runs on {home}: registered, not served; "
    start = f"start it with: predictq up --home {home}\n"
    assert (plain.exit_code, told.exit_code) == (0, 0)
    assert plain.output.endswith(words + start)
    assert told.output.endswith(f"{words}{start}a stack runs at {url}, home {other}\n")


def test_models_add_does_not_ask_a_stack_that_has_ended(run, tmp_path, file):
    with stack(tmp_path / "home", [(500, {})]) as asked:
        (tmp_path / "home" / "stack.json").write_text('{"pid": 4194305, "url": "http://127.0.0.1"}')
        assert run("add", "m", file).exit_code == 0
    assert asked == []
