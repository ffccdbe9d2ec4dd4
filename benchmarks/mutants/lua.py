"""Mutants of the Lua scripts, from a small table, since mutation tools support only Python."""

import re
from collections.abc import Iterator
from pathlib import Path

import msgspec

import tasks

TABLE = (
    (r" > ", " >= "),
    (r" >= ", " > "),
    (r" < ", " <= "),
    (r" == ", " ~= "),
    (r" ~= ", " == "),
    (r" and ", " or "),
    (r" or ", " and "),
    (r" \+ ", " - "),
    (r"\b0 - ", "0 + "),
    (r"math\.max", "math.min"),
    (r"math\.min", "math.max"),
    (r"'RPUSH'", "'LPUSH'"),
    (r"'LPUSH'", "'RPUSH'"),
    (r"'RPOP'", "'LPOP'"),
    (r"\bnot ", ""),
    (r"^( *)redis\.call\(.*\)$", r"\1do end"),
)
"""Patterns and replacements; the last one removes a command."""


class Mutant(msgspec.Struct, frozen=True):
    """One change of one script."""

    script: str
    line: int
    before: str
    after: str

    @property
    def change(self) -> str:
        """The line before and after, which stays the same when the line moves."""
        return f"{self.before.strip()} -> {self.after.strip()}"

    @property
    def key(self) -> tuple[str, str]:
        """Script and change."""
        return self.script, self.change

    @property
    def name(self) -> str:
        """Script, line and change."""
        return f"{self.script}:{self.line}: {self.change}"

    def applied(self, text: str) -> str:
        """The script with this change."""
        lines = text.splitlines(keepends=True)
        lines[self.line - 1] = self.after + "\n"
        return "".join(lines)


def script_names() -> list[str]:
    """The names of all scripts, as `load_script` takes them."""
    top = Path(tasks.__path__[0])
    files = sorted(path.relative_to(top) for path in top.rglob("scripts/*.lua"))
    names = [".".join((*path.parts[:-2], path.stem)) for path in files]
    return [name.removeprefix("ledger.") if name.count(".") == 1 else name for name in names]


def mutants(name: str, text: str) -> Iterator[Mutant]:
    """Yield all mutants of one script, each with one change."""
    for number, line in enumerate(text.splitlines(), 1):
        code = line.partition("--")[0]
        for pattern, other in TABLE:
            for found in re.finditer(pattern, code):
                after = line[: found.start()] + found.expand(other) + line[found.end() :]
                yield Mutant(name, number, line, after)
