"""Mutants of the Lua scripts, from a small table, since mutation tools support only Python."""

import re
from collections.abc import Iterator
from pathlib import Path

import msgspec

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
    def name(self) -> str:
        """A name that is stable between runs as long as the script does not change."""
        return f"{self.script}:{self.line}: {self.before.strip()} -> {self.after.strip()}"

    def applied(self, text: str) -> str:
        """The script with this change."""
        lines = text.splitlines(keepends=True)
        lines[self.line - 1] = self.after + "\n"
        return "".join(lines)


def mutants(script: Path) -> Iterator[Mutant]:
    """Yield all mutants of one script, each with one change."""
    for number, line in enumerate(script.read_text().splitlines(), 1):
        code = line.partition("--")[0]
        for pattern, other in TABLE:
            for found in re.finditer(pattern, code):
                after = line[: found.start()] + found.expand(other) + line[found.end() :]
                yield Mutant(script.name, number, line, after)
