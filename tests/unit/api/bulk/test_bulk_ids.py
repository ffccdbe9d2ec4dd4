"""Ids of many predictions are read from a list, or from the answer to their submission."""

import asyncio
from typing import Any

import pytest

from api.bulk.ids import read_ids
from telemetry.errors import Invalid, Malformed


def read(body: bytes, kind: bytes = b"application/x-ndjson") -> list[str]:
    scope: Any = {"headers": [(b"content-type", kind)]}

    async def receive() -> Any:
        return {"type": "http.request", "body": body, "more_body": False}

    return asyncio.run(read_ids(scope, receive))


def test_bulk_ids_are_those_of_a_list_or_of_lines() -> None:
    assert read(b'["a", "b"]', b"application/json") == ["a", "b"]
    assert read(b'"a"\n\n"b"\n') == ["a", "b"]


def test_bulk_ids_of_a_submission_pass_over_refused_lines() -> None:
    answer = b"""{"id": "a", "status": "queued"}
{"type": "about:blank", "status": 422, "code": "invalid_features", "line": 2}
{"type": "about:blank", "status": 503, "code": "submission_uncertain", "id": "c", "line": 3}
"""
    assert read(answer) == ["a", "c"]


@pytest.mark.parametrize("body", [b"{}", b'{"ids": ["a"]}', b"[1]", b"", b'{"code": "invalid"}'])
def test_bulk_ids_are_missing(body: bytes) -> None:
    with pytest.raises(Invalid):
        read(body)


def test_bulk_ids_that_are_not_json_are_malformed() -> None:
    with pytest.raises(Malformed):
        read(b"a\n")
