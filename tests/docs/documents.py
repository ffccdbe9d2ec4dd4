"""Reads what the documents say: fenced blocks, tables, links."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple, Self

ROOT = Path(__file__).resolve().parents[2]
DOCUMENTS = [
    *(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "client/README.md")),
    *sorted(ROOT.glob("docs/**/*.md")),
]
RUNNABLE = ("bash", "python", "javascript")
SHOWN = ("json", "text", "toml")

_fence = re.compile(r"^```(\S*)[ \t]*(.*)\n((?:.*\n)*?)```$", re.MULTILINE)
_link = re.compile(r"\]\(([^)#\s]+)")
_path = re.compile(r"`([a-z_]+/[\w./]*)`")
_folders = re.compile(r"( *)((?:[\w/]+/(?: |$))+)")
_reason = re.compile(r'no-run reason="([^"]+)"')


class Block(NamedTuple):
    """One fenced block."""

    line: int
    language: str
    info: str
    text: str

    @property
    def is_command(self) -> bool:
        return self.language in RUNNABLE

    @property
    def is_answer(self) -> bool:
        """Whether the block shows output of the command before it; ``…`` stands for any text."""
        return self.info == "answer"

    @property
    def reason(self) -> str | None:
        """Why a test cannot run the block; None if it can."""
        found = _reason.fullmatch(self.info)
        return found[1] if found else None


class Example(NamedTuple):
    """A command and the part of its output that the document shows."""

    command: Block
    answer: str | None

    @classmethod
    def all_in(cls, document: Path) -> Iterator[Self]:
        found = blocks(document)
        for block, following in zip(found, [*found[1:], None], strict=True):
            if block.is_command:
                shown = following.text if following and following.is_answer else None
                yield cls(block, shown)


def blocks(document: Path) -> list[Block]:
    """Every fenced block, in order."""
    text = document.read_text()
    return [
        Block(text.count("\n", 0, found.start()) + 1, *found.groups())
        for found in _fence.finditer(text)
    ]


def links(document: Path) -> list[str]:
    """The link targets of a document inside this repository."""
    found = _link.findall(_fence.sub("", document.read_text()))
    return [link for link in found if "://" not in link and not link.startswith("mailto:")]


def paths(document: Path) -> list[str]:
    """The paths that a document names, from the root of this repository."""
    found = _path.findall(_fence.sub("", document.read_text()))
    return [path for path in found if (ROOT / path.partition("/")[0]).is_dir()]


def folders_of_tree(document: Path, heading: str) -> list[str]:
    """The folders in the first block under a heading, where deeper folders are indented."""
    _, _, section = document.read_text().partition(f"# {heading}\n")
    found = _fence.search(section)
    assert found, f"no block under {heading!r}"
    folders: list[str] = []
    above: list[str] = []
    for line in found[3].splitlines():
        if named := _folders.match(line):
            del above[len(named[1]) // 2 :]
            folders += ["".join([*above, name]).rstrip("/") for name in named[2].split()]
            above.append(named[2].split()[-1])
    return folders


def table(document: Path, heading: str) -> list[list[str]]:
    """The cells of the first table under a heading, without its head and without backticks."""
    _, _, section = document.read_text().partition(f"# {heading}\n")
    assert section, f"{document.name} has no heading {heading!r}"
    lines = re.search(r"(?:^\|.*\n)+", section, re.MULTILINE)
    assert lines, f"no table under {heading!r}"
    return [_cells(line) for line in lines[0].splitlines()[2:]]


def _cells(line: str) -> list[str]:
    return [cell.strip().replace("`", "") for cell in line.strip("|").split("|")]
