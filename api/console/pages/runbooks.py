"""Runbooks as blocks: the little Markdown that they are written in."""

import re
from collections.abc import Iterator
from itertools import groupby
from typing import Literal, NamedTuple

Kind = Literal["title", "heading", "code", "bullets", "numbers", "text"]
_starts: tuple[tuple[str, Kind], ...] = (
    (r"# ", "title"),
    (r"## ", "heading"),
    (r"- ", "bullets"),
    (r"\d+\. ", "numbers"),
)
_link = re.compile(r"\[([^]]+)\]\(([^)]+)\)")


class TextSpan(NamedTuple):
    """A piece of a line."""

    text: str
    is_code: bool


class RunbookBlock(NamedTuple):
    """A heading, a paragraph, a list, or commands."""

    kind: Kind
    lines: list[list[TextSpan]]


def runbook_blocks(markdown: str) -> list[RunbookBlock]:
    """The blocks of a runbook."""
    pieces = re.split(r"^```.*\n", markdown, flags=re.MULTILINE)
    found: list[RunbookBlock] = []
    for number, piece in enumerate(pieces):
        if number % 2:
            found.append(RunbookBlock("code", [[TextSpan(piece.rstrip(), is_code=True)]]))
        else:
            found += _prose(piece)
    return found


def _prose(text: str) -> Iterator[RunbookBlock]:
    told = [_told(line) for line in text.splitlines() if line.strip()]
    for kind, lines in groupby(told, key=lambda each: each[0]):
        yield RunbookBlock(kind, [_spans(line) for _, line in lines])


def _told(line: str) -> tuple[Kind, str]:
    for start, kind in _starts:
        if found := re.match(start, line):
            return kind, line[found.end() :]
    return "text", line


def _spans(line: str) -> list[TextSpan]:
    # A link leads into the documents, which the console does not have.
    pieces = _link.sub(r"\1", line).split("`")
    return [TextSpan(piece, bool(number % 2)) for number, piece in enumerate(pieces) if piece]
