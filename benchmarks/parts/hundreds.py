"""Predictions in hundreds: one request submits a hundred, and one fetches their outcomes."""

import itertools
import re
import time
from functools import partial

import msgspec

from benchmarks.harness.bench import Bench
from benchmarks.harness.candidates import Candidate
from benchmarks.harness.load import Accepted
from benchmarks.harness.models import Questions
from benchmarks.harness.processes import Processes
from benchmarks.harness.results import Cell, Check, Part, Table
from benchmarks.harness.saturation import Saturated, compared, saturate, warm
from benchmarks.harness.wire import LoadFailed, Response, Wire, post

HUNDRED = 100
CONNECTIONS = 8
"""Requests of a hundred under way."""
NDJSON = "application/x-ndjson"
NAIVE_SHARE = 1 / 3
"""Share of the others' submission time, as it accepts several times faster than it computes."""
NOTE = """The forest, one row a prediction. One by one: as in the part on throughput. In \
hundreds: eight callers each submit a hundred lines of NDJSON, fetch the hundred outcomes in one \
request that waits for them, and go on; every prediction has its own id, and each answer is \
compared with the model's own. The clock stops at the last outcome fetched, which for one by one \
is the last one stored. CPU of the HTTP server: µs for each prediction while it is accepted; in \
hundreds also with its outcome fetched."""
_id = re.compile(rb'"id": ?"([^"]+)"')
_now = time.perf_counter


class Hundreds(msgspec.Struct, frozen=True):
    """Predictions submitted and fetched in hundreds."""

    count: int
    rate: float
    """Predictions per second, outcomes fetched."""
    api: float
    """CPU seconds of the HTTP server for each prediction, submitted and fetched."""
    accept: float
    """CPU seconds of the HTTP server for each prediction, submitted only."""


class Loop:
    """A closed loop of callers that submit a hundred and fetch their outcomes."""

    def __init__(self, port: int, questions: Questions, *, fetches: bool = True) -> None:
        self._wire, self._fetches = Wire(port, CONNECTIONS), fetches
        self._questions = questions
        self._turn = itertools.cycle(range(len(questions.bodies)))
        self._most, self._sent = 1 << 62, 0
        self.accepted = Accepted([], [], _now())
        self.bodies: dict[str, bytes] = {}

    def run(self, seconds: float, most: int = 1 << 62) -> None:
        """Submit for some seconds, or about ``most`` predictions, and wait for all answers."""
        end, self._most = _now() + seconds, most
        for _ in range(CONNECTIONS):
            self._submit(end)
        while self._wire.busy:
            self._wire.turn()
        self.accepted.ended = _now()

    def close(self) -> None:
        """Close the connections."""
        self._wire.close()

    def fetch_missing(self) -> None:
        """Fetch what was submitted without fetching it."""
        ids = [each for each in self.accepted.ids if each not in self.bodies]
        for start in range(0, len(ids), HUNDRED):
            part = ids[start : start + HUNDRED]
            self._wire.send(_wanted(part), partial(self._note, part))
        while self._wire.busy:
            self._wire.turn()

    def _submit(self, end: float) -> None:
        if self._sent >= self._most:
            return
        self._sent += HUNDRED
        asked = list(itertools.islice(self._turn, HUNDRED))
        body = b"\n".join(self._questions.bodies[index] for index in asked)
        self._wire.send(post("/predict/async", body, kind=NDJSON), partial(self._hear, end, asked))

    def _hear(self, end: float, asked: list[int], response: Response) -> None:
        ids = [found.decode() for found in _id.findall(response.body)]
        if response.status != 202 or len(ids) != HUNDRED:
            raise LoadFailed(f"not accepted: {response.status} {response.body[:300]!r}")
        self.accepted.ids += ids
        self.accepted.requests += asked
        if self._fetches:
            self._wire.send(_wanted(ids), partial(self._fetched, end, ids))
        elif _now() < end:
            self._submit(end)

    def _fetched(self, end: float, ids: list[str], response: Response) -> None:
        self._note(ids, response)
        if _now() < end:
            self._submit(end)

    def _note(self, ids: list[str], response: Response) -> None:
        self.bodies.update(zip(ids, response.body.splitlines(), strict=True))


def run(bench: Bench) -> Part:
    """Measure the naive design, predictq one by one, and predictq in hundreds."""
    naive, one_by_one = (_one_by_one(bench, make) for make in (bench.naive(), bench.predictq()))
    hundreds = _in_hundreds(bench)
    return _part(naive, one_by_one, hundreds)


def _one_by_one(bench: Bench, candidate: Candidate) -> Saturated:
    seconds = bench.seconds * (NAIVE_SHARE if candidate.name == "naive" else 1)
    with candidate.running() as processes:
        warm(candidate, bench.questions)
        return saturate(candidate, processes, bench.questions, seconds)


def _in_hundreds(bench: Bench) -> Hundreds:
    candidate = bench.predictq()
    with candidate.running() as processes:
        warm(candidate, bench.questions)
        _, accept = _looped(bench, candidate, processes, share=0.25, fetches=False)
        accepted, api = _looped(bench, candidate, processes, share=1.0, fetches=True)
    count = len(accepted.ids)
    return Hundreds(count, count / (accepted.ended - accepted.started), api, accept)


def _looped(
    bench: Bench, candidate: Candidate, processes: Processes, *, share: float, fetches: bool
) -> tuple[Accepted, float]:
    """What was accepted, and the CPU seconds of the HTTP server for each."""
    loop = Loop(candidate.port, bench.questions, fetches=fetches)
    try:
        before = processes.cpu()["api"]
        loop.run(bench.seconds * share)
        used = processes.cpu()["api"] - before
        loop.fetch_missing()
    finally:
        loop.close()
    accepted = loop.accepted
    compared(accepted, [loop.bodies[each] for each in accepted.ids], bench.questions)
    return accepted, used / len(accepted.ids)


def _wanted(ids: list[str]) -> bytes:
    return post("/predict/results", msgspec.json.encode(ids), "Prefer: wait=30")


def _part(naive: Saturated, one_by_one: Saturated, hundreds: Hundreds) -> Part:
    rows: list[list[Cell]] = [
        ["naive", naive.rate, 1.0, _micros(naive.api_cpu / naive.accepted), "-"],
        [
            "predictq, one by one",
            one_by_one.rate,
            one_by_one.rate / naive.rate,
            _micros(one_by_one.api_cpu / one_by_one.accepted),
            "-",
        ],
        [
            "predictq, in hundreds",
            hundreds.rate,
            hundreds.rate / naive.rate,
            _micros(hundreds.accept),
            _micros(hundreds.api),
        ],
    ]
    columns = ["", "predictions/s", "times naive", "HTTP server, µs", "with outcomes, µs"]
    cheaper = hundreds.accept / (one_by_one.api_cpu / one_by_one.accepted)
    checks = [
        Check("in hundreds, times naive", hundreds.rate / naive.rate, "at least", 60),
        Check("in hundreds, times one by one", hundreds.rate / one_by_one.rate, "at least", 1.5),
        Check("HTTP server in hundreds, over one by one", cheaper, "at most", 0.25),
    ]
    return Part("hundreds", [Table("In hundreds", columns, rows, NOTE)], checks)


def _micros(seconds: float) -> int:
    return round(1e6 * seconds)
