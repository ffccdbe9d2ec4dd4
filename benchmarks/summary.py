"""The table of the project's README: the systems of the latest run side by side."""

from collections.abc import Iterator, Mapping
from pathlib import Path

from benchmarks.harness.results import Cell, Run

FRONT_PAGE = Path(__file__).parents[1] / "README.md"
START, END = "<!-- speed -->\n", "<!-- end of speed -->\n"
_SYSTEMS = {
    "predictq": "**predictq**",
    "hand-written": "a minimal loop of our own, which loses what a dying worker held",
    "naive": "Flask and Celery, as in tutorials",
    "MLServer": "MLServer",
    "LitServe": "LitServe",
    "FastAPI": "FastAPI with the model in its process",
}
"""Systems in the order of their rows → what they are."""


def summary(run: Run) -> str:
    """A table of predictions a second, submitted and waited for."""
    submitted = _column(run, "Throughput", 1)
    polled = _column(run, "Throughput", 4)
    waited = {"hand-written": polled["hand-written"], "naive": _column(run, "Waiting", 1)["32"]}
    waited |= _column(run, "Beside synchronous servers", 1)
    return "\n".join(_lines(run, submitted, waited)) + "\n"


def show_on_front_page(run: Run) -> None:
    """Replace the table in the project's README."""
    FRONT_PAGE.write_text(with_summary(FRONT_PAGE, run))


def with_summary(document: Path, run: Run) -> str:
    """The document with its table replaced."""
    before, _, rest = document.read_text().partition(START)
    return f"{before}{START}\n{summary(run)}\n{END}{rest.partition(END)[2]}"


def _lines(run: Run, submitted: Mapping[str, str], waited: Mapping[str, str]) -> Iterator[str]:
    yield "| predictions a second | submitted, fetched later | waited for by 32 callers |"
    yield "| --- | --- | --- |"
    for name, told in _SYSTEMS.items():
        yield f"| {told} | {submitted.get(name, '-')} | {waited.get(name, '-')} |"
    yield f"\n{run.machine}; commit {run.commit}, {run.date} UTC."


def _column(run: Run, title: str, index: int) -> dict[str, str]:
    """First cell of each row of a table → the median in another column."""
    (table,) = (table for part in run.parts for table in part.tables if table.title == title)
    return {str(row[0]): _median(row[index]) for row in table.rows}


def _median(cell: Cell) -> str:
    return str(cell).partition(" (")[0]
