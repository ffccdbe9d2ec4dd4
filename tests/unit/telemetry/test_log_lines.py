"""Log lines: JSON objects of bounded length, with ids as fields."""

import ast
import json
import logging
import re
from collections.abc import Iterator
from io import StringIO
from pathlib import Path

import pytest

from stack.process import ROOT
from telemetry.logs import MAX_FIELD_CHARS, configure, failure, of_version

WORKERS = sorted((ROOT / "workers").rglob("*.py"))
NAMES = re.compile(r"\b(id|task_id|tag|reference|model|version|queue|guilty|job|name)\b")


@pytest.fixture
def written() -> Iterator[StringIO]:
    """The text that a process with our logging writes."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    configure("worker")
    written = StringIO()
    root.handlers[0].setStream(written)
    yield written
    root.handlers[:] = handlers
    root.setLevel(level)


def test_log_line_is_bounded(written: StringIO) -> None:
    error = ValueError("x" * 10**6)
    fields = {"traceback": "y" * 10**6}
    logging.getLogger("workers").error("raised %s", error, exc_info=error, extra=fields)
    (line,) = written.getvalue().splitlines()
    long = {name for name, value in json.loads(line).items() if len(str(value)) > 100}
    assert long == {"event", "exception", "traceback"}
    assert len(line) < 4 * MAX_FIELD_CHARS


def test_log_line_has_its_fields(written: StringIO) -> None:
    logging.getLogger("workers").warning("it failed", extra=failure("a", "m", 3, 2, "risk", None))
    told = json.loads(written.getvalue())
    fields = {"id": "a", "model": "m", "version": 3, "attempt": 2, "tenant": "risk"}
    assert fields.items() <= told.items()
    assert "traceback" not in told


def test_version_has_two_log_fields() -> None:
    assert of_version("churn:12") == {"model": "churn", "version": 12}


@pytest.mark.parametrize("path", WORKERS, ids=lambda path: str(path.relative_to(ROOT)))
def test_log_events_hold_no_ids_or_names(path: Path) -> None:
    """Ids, models and queues must be fields; inside the text they could not be searched for."""
    calls = [node for node in ast.walk(ast.parse(path.read_text())) if _is_log(node)]
    said = [ast.unparse(value) for call in calls for value in call.args[1:]]
    assert [words for words in said if NAMES.search(words)] == []


def _is_log(node: ast.AST) -> bool:
    return isinstance(node, ast.Call) and ast.unparse(node.func).startswith("log.")
