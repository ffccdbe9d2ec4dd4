"""Problems of the protocol's paths have the text in `error`; those of other paths have not."""

import asyncio
import json
from typing import Any

import pytest

from api.asgi.protocol import send_response
from api.http.problems import answer_to
from api.http.responses import json_response
from api.open_inference.metadata_routes import ServerHealth
from api.open_inference.protocol_errors import ProtocolErrors
from telemetry.errors import QueueFull

PROBLEM = answer_to(QueueFull("full", retry_after=3))


def told(path: str, response: Any = PROBLEM, *, in_pieces: bool = False) -> tuple[Any, bytes]:
    """The head and the body that a server sends for a response from inside."""

    async def inside(scope: Any, receive: Any, send: Any) -> None:
        if not in_pieces:
            await send_response(response, send)
            return
        body = response.get_data()
        fields = [(b"content-type", b"application/problem+json"), (b"retry-after", b"3")]
        await send({"type": "http.response.start", "status": 503, "headers": fields})
        for piece in (body[:5], body[5:]):
            await send({"type": "http.response.body", "body": piece, "more_body": True})
        await send({"type": "http.response.body"})

    events: list[Any] = []

    async def send(event: Any) -> None:
        events.append(event)

    scope: Any = {"type": "http", "path": path}
    asyncio.run(ProtocolErrors(inside)(scope, None, send))
    assert [event["type"] for event in events[:1]] == ["http.response.start"]
    return events[0], b"".join(event.get("body", b"") for event in events[1:])


@pytest.mark.parametrize("in_pieces", [False, True])
@pytest.mark.parametrize("path", ["/v2", "/v2/models/m/infer"])
def test_problem_has_its_text_in_error(path: str, in_pieces: bool) -> None:
    start, body = told(path, in_pieces=in_pieces)
    problem, head = json.loads(body), dict(start["headers"])
    assert (problem["error"], problem["code"], problem["retryable"]) == ("full", "queue_full", True)
    assert (start["status"], head[b"content-type"]) == (503, b"application/json")
    assert (head[b"content-length"], head[b"retry-after"]) == (b"%d" % len(body), b"3")


@pytest.mark.parametrize("path", ["/v20", "/predict", "/"])
def test_problem_of_another_path_stays_as_it_is(path: str) -> None:
    start, body = told(path)
    assert body == PROBLEM.get_data()
    assert dict(start["headers"])[b"content-type"] == b"application/problem+json"


def test_answer_that_is_no_problem_stays_as_it_is() -> None:
    assert told("/v2", json_response(ServerHealth(True, True)))[1] == b'{"live":true,"ready":true}'
