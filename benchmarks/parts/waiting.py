"""Callers that wait for their outcomes: how many are answered a second, and how soon."""

import msgspec

from benchmarks.harness.bench import Bench
from benchmarks.harness.load import answer, latencies
from benchmarks.harness.models import Questions
from benchmarks.harness.results import Cell, Check, Part, Spread, Table, percentile
from benchmarks.harness.saturation import WARMING, warm
from benchmarks.harness.wire import get

CONNECTIONS = {32: 7.5, 8: 1.0, 1: 1.0}
"""Callers at a time → least rate, times that of the naive design."""
QUIET = 20
"""Requests per second at low load."""
NOTE = """A closed loop: each caller sends its next request after the answer to the last. \
predictq: `POST /predict`, which waits. naive: a submission, then a look every 5 ms. Answers a \
second, and the ratio within each round."""
SAME_NOTE = f"""`POST /predict` with `"cache": true`, by 32 callers: each of the rows was asked \
for before. Beside it the rate without `cache`, from the table above. p50: of an answer at \
{QUIET}/s."""
LONE = f"p50 at {QUIET}/s of `POST /predict`, over that of `GET /health`"


class Round(msgspec.Struct, frozen=True):
    """What one round found."""

    naive: dict[int, float]
    """Answers per second by the number of connections."""
    predictq: dict[int, float]
    lone: float
    """Median latency of a waited prediction over that of a health check, at low load."""
    reused: float
    """Answers per second that were computed before, of 32 callers."""
    reused_p50: float
    """Median latency of such an answer in seconds, at low load."""


def run(bench: Bench) -> Part:
    """Measure both systems; the one not being measured is idle."""
    naive, predictq, questions = bench.naive(), bench.predictq(), bench.questions
    with naive.running(), predictq.running():
        for candidate in (naive, predictq):
            warm(candidate, questions)
        rounds = [_round(bench, naive.port, predictq.port) for _ in range(bench.rounds)]
    return _part(rounds)


def _round(bench: Bench, naive: int, predictq: int) -> Round:
    submitted, waited = bench.questions.requests(), _waited(bench.questions)
    again = _reusing(bench.questions)
    answer(predictq, again, WARMING)
    return Round(
        {many: answer(naive, submitted, bench.seconds, many) for many in CONNECTIONS},
        {many: answer(predictq, waited, bench.seconds, many) for many in CONNECTIONS},
        _median(bench, predictq, waited) / _median(bench, predictq, [get("/health")]),
        answer(predictq, again, bench.seconds),
        _median(bench, predictq, again),
    )


def _waited(questions: Questions) -> list[bytes]:
    return questions.requests("/predict", "Prefer: wait=10")


def _reusing(questions: Questions) -> list[bytes]:
    bodies = [body[:-1] + b',"cache":true}' for body in questions.bodies]
    return msgspec.structs.replace(questions, bodies=bodies).requests("/predict")


def _median(bench: Bench, port: int, requests: list[bytes]) -> float:
    return percentile(latencies(port, requests, QUIET, bench.seconds), 0.5)


def _part(rounds: list[Round]) -> Part:
    ratios = {
        many: Spread.of(each.predictq[many] / each.naive[many] for each in rounds)
        for many in CONNECTIONS
    }
    rows: list[list[Cell]] = [
        [
            many,
            str(Spread.of(each.naive[many] for each in rounds)),
            str(Spread.of(each.predictq[many] for each in rounds)),
            str(ratios[many]),
        ]
        for many in CONNECTIONS
    ]
    lone = Spread.of(each.lone for each in rounds)
    times = Spread.of(each.reused / each.predictq[32] for each in rounds)
    same: list[Cell] = [
        str(Spread.of(each.reused for each in rounds)),
        str(times),
        f"{Spread.of(each.reused_p50 for each in rounds).median * 1000:.2f} ms",
    ]
    checks = [
        Check(f"waited for by {many}, times naive", ratios[many].median, "at least", least)
        for many, least in CONNECTIONS.items()
    ]
    checks.append(Check("waited for at 20/s, p50 over that of /health", lone.median, "at most", 2))
    checks.append(
        Check("answers that are reused, times computed ones", times.median, "at least", 2.0)
    )
    return Part(
        "waiting",
        [
            Table("Waiting", ["connections", "naive", "predictq", "times naive"], rows, NOTE),
            Table("Waiting alone", ["", "ratio"], [[LONE, str(lone)]]),
            Table("The same rows again", ["/s", "times computed", "p50"], [same], SAME_NOTE),
        ],
        checks,
    )
