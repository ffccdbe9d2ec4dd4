"""Mutants of the Lua scripts, by a small table: tools that mutate know Python alone."""

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
"""What is looked for, and what stands there instead; the last leaves a command out."""


class Mutant(msgspec.Struct, frozen=True):
    """One change of one script."""

    script: str
    line: int
    before: str
    after: str

    @property
    def name(self) -> str:
        """By which it is known from one run to the next, while the script stays as it is."""
        return f"{self.script}:{self.line}: {self.before.strip()} -> {self.after.strip()}"

    def applied(self, text: str) -> str:
        """The script with this change."""
        lines = text.splitlines(keepends=True)
        lines[self.line - 1] = self.after + "\n"
        return "".join(lines)


def mutants(script: Path) -> Iterator[Mutant]:
    """All of one script, a change each."""
    for number, line in enumerate(script.read_text().splitlines(), 1):
        code = line.partition("--")[0]
        for pattern, other in TABLE:
            for found in re.finditer(pattern, code):
                after = line[: found.start()] + found.expand(other) + line[found.end() :]
                yield Mutant(script.name, number, line, after)
