"""Reports runs: on the screen, and if recorded in a JSON file and the README."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec

from benchmarks.harness.results import Cell, Check, Part, Run, Table, shown

HERE = Path(__file__).parents[1]
RUNS, PAGE = "runs", "README.md"
"""Files in a suite's directory."""
START, END = "<!-- the latest run -->\n", "<!-- end of the latest run -->\n"


def text(run: Run) -> str:
    """The report as Markdown."""
    parts = [line for part in run.parts for line in _part(part)]
    return "\n".join([*_place(run), *parts])


def record(run: Run, directory: Path) -> Path:
    """Record a run of a suite."""
    (directory / RUNS).mkdir(exist_ok=True)
    path = directory / RUNS / f"{run.date.replace(' ', '-').replace(':', '')}-{run.commit}.json"
    path.write_bytes(msgspec.json.format(msgspec.json.encode(run)) + b"\n")
    return path


def latest(directory: Path) -> Run | None:
    """The latest recorded run of a suite."""
    found = recorded(directory)
    return found[-1] if found else None


def recorded(directory: Path) -> list[Run]:
    """The recorded runs of a suite, the latest last."""
    found = sorted((directory / RUNS).glob("*.json"))
    return [msgspec.json.decode(path.read_bytes(), type=Run) for path in found]


def page(run: Run, document: Path) -> str:
    """The document with its section on the run replaced."""
    before, _, rest = document.read_text().partition(START)
    _, _, after = rest.partition(END)
    return f"{before}{START}\n{text(run)}\n{END}{after}"


def _place(run: Run) -> Iterator[str]:
    took = f", {run.took / 60:.1f} min in all" if run.took else ""
    yield f"Commit {run.commit}, {run.date} UTC, {run.seconds:g} s a measurement{took}."
    yield f"{run.machine}; load of other programs before the start: {run.load:.1f}."
    yield ", ".join(f"{name} {number}" for name, number in run.versions.items()) + ".\n"


def _part(part: Part) -> Iterator[str]:
    if part.failure:
        yield f"{part.name} FAILED: {part.failure}\n"
    for table in part.tables:
        yield _table(table)
    if part.checks:
        yield _table(_checked(part.checks))


def _table(table: Table) -> str:
    lines: list[Sequence[Cell]] = [table.columns, ["---"] * len(table.columns), *table.rows]
    drawn = "\n".join("| " + " | ".join(map(shown, line)) + " |" for line in lines)
    note = f"{table.note}\n\n" if table.note else ""
    return f"## {table.title}\n\n{note}{drawn}\n" if table.title else f"{drawn}\n"


def _checked(checks: list[Check]) -> Table:
    rows = [
        [each.claim, each.ratio, f"{each.must_be} {each.bound:g}", "yes" if each.holds else "NO"]
        for each in checks
    ]
    return Table("", ["required", "ratio", "must be", "holds"], rows)
