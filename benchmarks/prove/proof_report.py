"""Reports the proof: tables, checks, and the file of a recorded run."""

import statistics
from collections.abc import Iterator
from pathlib import Path

import msgspec

from benchmarks.harness import report
from benchmarks.harness.results import Cell, Check, Part, Run, Table, percentile
from benchmarks.prove.callers.observed import Submission
from benchmarks.prove.faults.faults import FAULTS
from benchmarks.prove.faults.storm import Strike
from benchmarks.prove.proof import Proof, Storming
from stack.process import ROOT

RUNS, PAGE = Path(__file__).parent / "runs", ROOT / "docs" / "prove.md"


class Recorded(msgspec.Struct, frozen=True):
    """A recorded run."""

    run: Run
    storming: Storming
    strikes: dict[str, list[Strike]]


def part(storming: Storming, proofs: list[Proof]) -> Part:
    """The tables, and checks of what must be zero for predictq."""
    ours = proofs[0]
    checks = [Check(f"predictq, {name}", n, "at most", 0) for name, n in ours.faults.items()]
    adds_up = Check("predictq, accepted - outcomes - lost", _difference(ours), "at most", 0)
    accounts, by_fault = _accounts(storming, proofs), _by_fault(proofs)
    return Part("prove", [accounts, by_fault], [adds_up, *checks])


def text(run: Run) -> str:
    """The report as Markdown."""
    return report.text(run)


def record(run: Run, storming: Storming, proofs: list[Proof]) -> Path:
    """Record a run, and update the document."""
    RUNS.mkdir(exist_ok=True)
    path = RUNS / f"{run.date.replace(' ', '-').replace(':', '')}-{run.commit}.json"
    strikes = {proof.name: proof.strikes for proof in proofs}
    kept = msgspec.json.encode(Recorded(run, storming, strikes))
    path.write_bytes(msgspec.json.format(kept) + b"\n")
    PAGE.write_text(report.page(run, PAGE))
    return path


def latest() -> Run | None:
    """The latest recorded run."""
    found = sorted(RUNS.glob("*.json"))
    return msgspec.json.decode(found[-1].read_bytes(), type=Recorded).run if found else None


def keep(path: Path, proofs: list[Proof]) -> None:
    """Save which ids are missing or wrong, and when faults struck, for debugging."""
    found = [
        {"name": p.name, "accounts": p.accounts, "strange": p.strange, "strikes": p.strikes}
        for p in proofs
    ]
    path.write_bytes(msgspec.json.format(msgspec.json.encode(found)))


def _difference(proof: Proof) -> int:
    return 0 if proof.accounts.adds_up else 1


def _accounts(storming: Storming, proofs: list[Proof]) -> Table:
    columns = [dict(_figures(proof)) for proof in proofs]
    rows: list[list[Cell]] = [[name, *(c[name] for c in columns)] for name in columns[0]]
    note = (
        f"Seed {storming.seed}; {storming.rate:g} submissions a second to predictq and a fifth of "
        f"that to the naive design, at fixed times whatever comes back; visibility timeout of "
        f"predictq {storming.visibility_timeout:g} s. Each answer is compared with the model's own."
    )
    return Table("Accounts", ["", *(proof.name for proof in proofs)], rows, note)


def _figures(proof: Proof) -> Iterator[tuple[str, Cell]]:
    found = proof.accounts
    without_faults, during_faults = _split(proof)
    yield "faults struck", len(proof.strikes)
    yield "submissions", len(proof.submissions)
    for name in ("accepted", "succeeded", "failed", "cancelled", "expired"):
        yield name, getattr(found, name)
    yield from found.faults.items()
    yield "lost, but due to come back after the visibility timeout", found.held_back
    yield "webhook events received", found.events
    yield "computations", found.computed
    yield "computed again", found.computed_again
    yield "uncertain: 503 that names the id", proof.uncertain
    yield "of these accepted after all", proof.turned_up
    yield "uncertain: no answer, or a 503 without an id", proof.unanswered
    yield "refused for certain", proof.refused
    yield "other answers", len(proof.strange)
    for name, some in (("without faults", without_faults), ("during faults", during_faults)):
        seconds = [submission.seconds * 1000 for submission in some] or [0.0]
        yield f"submit {name}, p50 ms", percentile(seconds, 0.5)
        yield f"submit {name}, p99 ms", percentile(seconds, 0.99)
        accepted = sum(submission.status in (200, 202) for submission in some)
        yield f"submit {name}, accepted", f"{100 * accepted / max(len(some), 1):.1f}%"
    yield "last outcome after the last submission, s", proof.last_seconds


def _split(proof: Proof) -> tuple[list[Submission], list[Submission]]:
    """Split submissions into those due without and during faults."""
    times = [(s.began, s.left) for s in proof.strikes]
    without_faults: list[Submission] = []
    during_faults: list[Submission] = []
    for submission in proof.submissions:
        is_during_faults = any(began <= submission.due <= ended for began, ended in times)
        (during_faults if is_during_faults else without_faults).append(submission)
    return without_faults, during_faults


def _by_fault(proofs: list[Proof]) -> Table:
    shown = ("struck", "s, median", "s, longest")
    columns = ["fault", *(f"{proof.name}: {what}" for proof in proofs for what in shown)]
    rows = [[name, *(cell for p in proofs for cell in _recoveries(p, name))] for name in FAULTS]
    note = (
        "Time to recover: from the end of the harm until all that was accepted before has its "
        "outcome and submissions are accepted again. Where the next fault struck before, there is "
        "no time."
    )
    return Table("Time to recover", columns, [row for row in rows if any(row[1::3])], note)


def _recoveries(proof: Proof, name: str) -> list[Cell]:
    strikes = [strike for strike in proof.strikes if strike.fault == name]
    times = [s.recovered - s.ended for s in strikes if s.recovered is not None]
    shown: list[Cell] = [statistics.median(times), max(times)] if times else ["-", "-"]
    return [len(strikes), *shown]
