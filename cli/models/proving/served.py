"""Checks whether the running stack serves a version."""

import time
from typing import Any
from urllib.parse import urlsplit

import msgspec

from registry.manifest import Manifest
from stack.http import call_http
from stack.running import RunningStack, local_key_at
from telemetry.errors import ModelUnloadable, Unavailable

DEADLINE = 30.0
"""Seconds in which a running stack must serve a new version."""
_PAUSE = 0.2
_TOO_MANY = 429


class _Answer(msgspec.Struct, frozen=True):
    status: int
    """0 if nothing listens at the moment."""
    body: dict[str, Any]


class _Failure(msgspec.Struct, frozen=True):
    message: str
    retryable: bool


def wait_until_served(stack: RunningStack, manifest: Manifest) -> None:
    """Return once the stack has predicted the example row of a version.

    Raises `ModelUnloadable` if the stack cannot serve it, and `Unavailable` after `DEADLINE`
    seconds or on a temporary failure.
    """
    deadline = time.monotonic() + DEADLINE
    what = manifest.reference
    canary = msgspec.json.encode(
        {"model": what, "features": [manifest.example], "method": manifest.signature.main}
    )
    answer = _ask(stack, "/predict", canary, DEADLINE)
    while not _is_served(answer, what):
        remaining = deadline - time.monotonic()
        if remaining <= 0:
            raise Unavailable(f"{stack.url} did not serve {what} within {DEADLINE:.0f} s")
        time.sleep(_PAUSE)
        pending = answer.body.get("urls", {}).get("result")
        path, body = (pending, None) if pending else ("/predict", canary)
        answer = _ask(stack, path, body, remaining)


def _is_served(answer: _Answer, what: str) -> bool:
    """Whether the version is served by now; raises `ModelUnloadable` if it never will be.

    Raises `Unavailable` for failures that are not the model's.
    """
    failure = _failure(answer.body)
    if failure and failure.retryable:
        raise Unavailable(f"the stack failed while serving {what}: {failure.message}")
    if failure:
        raise ModelUnloadable(f"the stack cannot serve {what}: {failure.message}")
    if 400 <= answer.status < 500 and answer.status != _TOO_MANY:
        raise ModelUnloadable(f"the stack refuses {what}: {answer.body.get('detail')}")
    return answer.body.get("status") == "succeeded"


def _failure(body: dict[str, Any]) -> _Failure | None:
    """The error of a prediction, from its outcome or its problem (a problem with urls)."""
    if error := body.get("error"):
        return _Failure(error["message"], error.get("retryable", False))
    is_ended = "code" in body and "urls" in body
    return _Failure(body["detail"], body["retryable"]) if is_ended else None


def _ask(stack: RunningStack, path: str, body: bytes | None, timeout: float) -> _Answer:
    port, method = urlsplit(stack.url).port or 80, "POST" if body else "GET"
    answer = call_http(port, method, path, body, local_key=local_key_at(stack.url), timeout=timeout)
    return _Answer(answer.status, _decoded(answer.body))


def _decoded(content: bytes) -> dict[str, Any]:
    try:
        return msgspec.json.decode(content, type=dict[str, Any])
    except msgspec.DecodeError:
        return {}
