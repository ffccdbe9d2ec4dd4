"""The synchronous servers that people would pick instead: the same row, the same driver."""

import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack

from benchmarks.beside.environments import NotInstallable
from benchmarks.beside.servers import SERVERS, Server
from benchmarks.harness.bench import Bench
from benchmarks.harness.load import answer
from benchmarks.harness.results import Cell, Check, Part, Spread, Table
from benchmarks.harness.saturation import WARMING, warm

CONNECTIONS = (32, 8, 1)
ASKED = {32: 1.5, 8: 1.2, 1: 1.0}
"""Connections → answers of predictq over those of the faster of MLServer and LitServe."""
OURS = "predictq"
RIVALS = "MLServer", "LitServe"
NOTE = """A closed loop of 32, 8 or 1 callers: each sends its next request after the answer to \
the last. Each system has two processes that compute; the idle ones wait. MLServer and LitServe \
batch up to 64 \
requests within 1 ms. predictq answers `POST /predict` with validation, a record synced to disk, a \
receipt and metrics; the others keep nothing. Answers a second."""
Rates = Mapping[str, Mapping[int, float]]


def run(bench: Bench) -> Part:
    """Measure all that can be installed, in turn; the ones not being measured are idle."""
    predictq, missing = bench.predictq(), dict[str, str]()
    waited = bench.questions.requests("/predict", "Prefer: wait=10")
    with ExitStack() as running:
        running.enter_context(predictq.running())
        warm(predictq, bench.questions)
        systems = {OURS: (predictq.port, waited)}
        for name, server in _servers(bench, missing):
            running.enter_context(server.running(bench.directory / name / "logs"))
            answer(server.port, server.requests, WARMING)
            systems[name] = server.port, server.requests
        rounds = [
            {
                name: {many: answer(*system, bench.seconds, many) for many in CONNECTIONS}
                for name, system in systems.items()
            }
            for _ in range(bench.rounds)
        ]
    return _part(rounds, missing)


def _servers(bench: Bench, missing: dict[str, str]) -> Iterator[tuple[str, Server]]:
    for name, make in SERVERS.items():
        directory = bench.directory / name
        directory.mkdir()
        try:
            yield name, make(directory, bench.forest, bench.questions)
        except NotInstallable as error:
            print(f"SKIPPED {name}, which cannot be installed: {error}", file=sys.stderr)
            missing[name] = str(error).splitlines()[-1] if str(error) else "unknown"


def _part(rounds: Sequence[Rates], missing: Mapping[str, str]) -> Part:
    rows: list[list[Cell]] = [
        [name, *(str(Spread.of(each[name][many] for each in rounds)) for many in CONNECTIONS)]
        for name in rounds[0]
    ]
    rows += [[name, f"skipped: {why}", "", ""] for name, why in missing.items()]
    columns = ["", *(f"by {many}" for many in CONNECTIONS)]
    rivals = [name for name in RIVALS if name in rounds[0]]
    checks = [_check(rounds, rivals, many) for many in CONNECTIONS] if rivals else []
    return Part("beside", [Table("Beside synchronous servers", columns, rows, NOTE)], checks)


def _check(rounds: Sequence[Rates], rivals: list[str], many: int) -> Check:
    ratio = Spread.of(
        each[OURS][many] / max(each[name][many] for name in rivals) for each in rounds
    )
    claim = f"answered to {many}, times the faster of {' and '.join(rivals)}"
    return Check(claim, ratio.median, "at least", ASKED[many])
