"""Every message in the troubleshooting table is one that the code can write."""

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from tests.docs.documents import ROOT

TROUBLESHOOTING = ROOT / "docs" / "troubleshooting.md"
ROOMS = ("api", "tasks", "workers", "registry", "telemetry", "stack", "cli", "client/predictq")
_row = re.compile(r"^\| (`+)(.+?)\1 \| (.+?) \| (.+) \|$", re.MULTILINE)
MESSAGES = [found[1].strip() for found in _row.findall(TROUBLESHOOTING.read_text())]


def sources() -> Iterator[Path]:
    yield ROOT / "run"
    for room in ROOMS:
        yield from (ROOT / room).rglob("*.py")


def words(node: ast.AST) -> str | None:
    """The text of a string literal with `…` for each placeholder; None for other nodes."""
    if isinstance(node, ast.Constant):
        return node.value if isinstance(node.value, str) else None
    if isinstance(node, ast.JoinedStr):
        return "".join(words(part) or "…" for part in node.values)
    return None


@cache
def literals() -> frozenset[str]:
    trees = (ast.parse(source.read_text()) for source in sources())
    found = (words(node) for tree in trees for node in ast.walk(tree))
    return frozenset(filter(None, found))


def is_told(message: str) -> bool:
    """Whether one literal contains the fixed parts of a message in order."""
    parts = [re.escape(part.strip()) for part in message.split("…") if part.strip(" :;,()")]
    pattern = re.compile(".*".join(parts), re.DOTALL)
    return any(pattern.search(literal) for literal in literals())


def test_messages_are_found() -> None:
    assert len(MESSAGES) > 50
    assert not is_told("nobody says … such a thing")


@pytest.mark.parametrize("message", MESSAGES)
def test_message_is_in_the_code(message: str) -> None:
    assert is_told(message), f"no literal of the code says: {message}"


def test_rows_are_complete() -> None:
    rows = [line for line in TROUBLESHOOTING.read_text().splitlines() if line.startswith("| `")]
    assert len(rows) == len(MESSAGES)
