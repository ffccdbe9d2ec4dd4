"""Reports a run: on the screen, and if recorded in the README and a JSON file."""

from collections.abc import Iterator
from pathlib import Path

import msgspec

from benchmarks.equality.counting import Counts, Tally
from benchmarks.harness.report import END, PAGE, RUNS, START
from benchmarks.harness.results import Run

HERE = Path(__file__).parent
_OUTCOMES = ("answered", "refused by door", "refused by model", "excluded")


class EqualityRun(msgspec.Struct, frozen=True):
    """The recorded results of a run."""

    commit: str
    date: str
    machine: str
    versions: dict[str, str]
    seed: int
    took: float
    """Seconds."""
    tally: Tally


def equality_run(run: Run, seed: int, tally: Tally) -> EqualityRun:
    """The results of a run, with the environment."""
    return EqualityRun(
        run.commit, run.date, run.machine, run.versions, seed, round(run.took, 1), tally
    )


def text(found: EqualityRun) -> str:
    """The report as Markdown."""
    return "\n".join([*_place(found), *_doors(found.tally), *_tables(found.tally)])


def record(found: EqualityRun) -> Path:
    """Write the run's JSON file, and update the README."""
    (HERE / RUNS).mkdir(exist_ok=True)
    name = f"{found.date.replace(' ', '-').replace(':', '')}-{found.commit}.json"
    path = HERE / RUNS / name
    path.write_bytes(msgspec.json.format(msgspec.json.encode(found)) + b"\n")
    page = HERE / PAGE
    before, _, rest = page.read_text().partition(START)
    page.write_text(f"{before}{START}\n{text(found)}\n{END}{rest.partition(END)[2]}")
    return path


def _place(found: EqualityRun) -> Iterator[str]:
    tally = found.tally
    yield f"Commit {found.commit}, {found.date} UTC, seed {found.seed}, {found.took / 60:.1f} min."
    yield f"{found.machine}."
    yield ", ".join(f"{name} {number}" for name, number in found.versions.items()) + ".\n"
    refused = sum(tally.refusals.values())
    yield f"{tally.cases:,} cases; {tally.failed:,} with a row that is not served as the model"
    yield f"answers it, {refused:,} whose model was not taken.\n"
    yield from (f"- {reason}: {count}" for reason, count in tally.refusals.items())
    for finding in tally.findings:
        told = f"own {finding.own[:200]}, served {finding.served[:200]}"
        yield f"- `{finding.case}`, {finding.door}, {finding.method}, {finding.what}: {told}"


def _doors(tally: Tally) -> Iterator[str]:
    yield f"| door | {' | '.join(_OUTCOMES)} |"
    yield f"| --- |{' --- |' * len(_OUTCOMES)}"
    for door, counts in tally.doors.items():
        yield f"| {door} | {' | '.join(f'{counts.get(each, 0):,}' for each in _OUTCOMES)} |"
    yield ""


def _tables(tally: Tally) -> Iterator[str]:
    yield from _counted("trained as", tally.forms)
    yield from _counted("column type", tally.kinds)
    yield from _counted("wrapper", tally.wrappers)
    yield from _counted("estimator", tally.estimators)


def _counted(title: str, counts: Counts) -> Iterator[str]:
    yield f"| {title} | cases |"
    yield "| --- | --- |"
    ordered = sorted(counts.items(), key=lambda item: -item[1])
    yield from (f"| {name} | {count:,} |" for name, count in ordered)
    yield ""
