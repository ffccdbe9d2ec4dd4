"""Log lines have the ids that they are about as fields, by which operators can search."""

import io
import json
import logging
import sys
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import redis

from tasks.ledger.dead_letters.burial import Burial
from tasks.ledger.ledger import Ledger
from tasks.record import Record
from tasks.settings import Settings
from telemetry.errors import ModelError
from telemetry.logs import configure
from tests.integration.ledger.ledger_harness import PREDICTION, message
from workers.compute.disposition import failed
from workers.protocol import Item

Lines = Callable[[], list[dict[str, Any]]]


@pytest.fixture
def logged(monkeypatch: pytest.MonkeyPatch) -> Iterator[Lines]:
    """The log lines written so far."""
    root, written = logging.getLogger(), io.StringIO()
    handlers, level = root.handlers[:], root.level
    monkeypatch.setattr(sys, "stderr", written)
    configure("test")
    yield lambda: [json.loads(line) for line in written.getvalue().splitlines()]
    root.handlers[:], root.level = handlers, level


class Redis:
    """A client that returns this for every key, and 0 for every script."""

    def __init__(self, held: bytes) -> None:
        self._held = held

    def get(self, _: str) -> bytes:
        return self._held

    def register_script(self, _: str) -> Callable[..., int]:
        return lambda **_: 0


SETTINGS = Settings(home="/none", redis_url="")  # never used


def test_foreign_record_is_logged_with_its_id(logged: Lines) -> None:
    client: redis.Redis = Redis(b"[]")  # a stand-in
    assert Ledger(client, SETTINGS).record("an-id") is None
    (line,) = logged()
    assert line["id"] == "an-id"
    assert line["process"] == "test"


def test_buried_message_is_logged_with_id_model_and_tag(logged: Lines) -> None:
    client: redis.Redis = Redis(b"null")  # a stand-in
    Burial(client, SETTINGS).bury("predict:7", message("an-id"), "nobody can read it")
    line = logged()[-1]
    assert (line["id"], line["model"], line["tag"]) == ("an-id", "churn:3", "predict:7")


def test_failed_attempt_is_logged_with_id_model_version_and_attempt(logged: Lines) -> None:
    record = Record.queued("an-id", PREDICTION)
    item = Item("predict:7", "an-id", "application/json", b"", None, "compute", 300.0)
    failed(record, item, ModelError("no"), 2)
    (line,) = logged()
    fields = {name: line[name] for name in ("id", "model", "version", "attempt")}
    assert fields == {"id": "an-id", "model": "churn", "version": 3, "attempt": 2}
