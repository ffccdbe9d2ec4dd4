"""Latency from the time a request is due to its outcome: at low load and at rising rates."""

from benchmarks.harness.bench import Bench
from benchmarks.harness.load import latencies
from benchmarks.harness.results import Cell, Check, Curve, Part, Spread, Table, percentile
from benchmarks.harness.saturation import warm

QUIET = 20
"""Requests per second at low load."""
RATES = (10, 50, 100, 200, 500, 1000)
HOPELESS = 1.0
"""Median latency in seconds beyond which a system is not measured at higher rates."""
TOLERANCE = 1.10
"""Tolerance for the noise of medians of a few milliseconds on a shared machine."""
NAIVE, POLLED, WAITED = "naive, polled", "predictq, polled", "predictq, `Prefer: wait`"
NOTE = """An open loop: requests come at fixed times whatever becomes of those before, and \
latencies count from those times. Polled: a look every 5 ms. Waited: `POST /predict` with \
`Prefer: wait=10`. Milliseconds."""


class _Caller:
    """A caller of one of the systems, in one way."""

    def __init__(self, bench: Bench, port: int, *, waits: bool = False) -> None:
        self._port, self._seconds = port, bench.seconds
        path, header = ("/predict", "Prefer: wait=10") if waits else ("/predict/async", "")
        self._requests = bench.questions.requests(path, header)

    def at(self, rate: float, share: float = 1.0) -> list[float]:
        """Latency of each request in milliseconds; ``share`` scales the measurement's length."""
        found = latencies(self._port, self._requests, rate, share * self._seconds)
        return [1000 * seconds for seconds in found]

    def curve(self, name: str) -> Curve:
        """Percentiles at rising rates, until the median exceeds `HOPELESS`."""
        curve = Curve(name, [], [], [])
        for rate in RATES:
            taken = self.at(rate, share=0.5)
            curve.rates.append(rate)
            curve.p50.append(percentile(taken, 0.5))
            curve.p99.append(percentile(taken, 0.99))
            if curve.p50[-1] > 1000 * HOPELESS:
                break
        return curve


def run(bench: Bench) -> Part:
    """Measure both systems; the one not being measured is idle."""
    naive, predictq = bench.naive(), bench.predictq()
    with naive.running(), predictq.running():
        for candidate in (naive, predictq):
            warm(candidate, bench.questions)
        callers = {
            NAIVE: _Caller(bench, naive.port),
            POLLED: _Caller(bench, predictq.port),
            WAITED: _Caller(bench, predictq.port, waits=True),
        }
        rounds = [
            {name: caller.at(QUIET) for name, caller in callers.items()}
            for _ in range(bench.rounds)
        ]
        curves = [callers[name].curve(name) for name in (NAIVE, WAITED)]
    return Part("latency", [_quiet(rounds), _rising(curves)], _checks(rounds), curves=curves)


def _quiet(rounds: list[dict[str, list[float]]]) -> Table:
    rows = [
        [
            name,
            str(Spread.of(percentile(each[name], 0.5) for each in rounds)),
            str(Spread.of(percentile(each[name], 0.99) for each in rounds)),
        ]
        for name in rounds[0]
    ]
    return Table(f"Latency at {QUIET}/s", ["", "p50", "p99"], rows, NOTE)


def _rising(curves: list[Curve]) -> Table:
    rows: list[list[Cell]] = [
        [curve.name, *map(float, point)]
        for curve in curves
        for point in zip(curve.rates, curve.p50, curve.p99, strict=True)
    ]
    note = f"No rate beyond the first at which the median passes {HOPELESS:.0f} s."
    return Table("Latency by rate", ["", "requests/s", "p50", "p99"], rows, note)


def _checks(rounds: list[dict[str, list[float]]]) -> list[Check]:
    return [
        Check(f"p50 {POLLED}, over {NAIVE}", _ratio(rounds, POLLED), "at most", TOLERANCE),
        Check(f"p50 {WAITED}, over {NAIVE}", _ratio(rounds, WAITED), "at most", 0.45),
    ]


def _ratio(rounds: list[dict[str, list[float]]], name: str) -> float:
    return Spread.of(
        percentile(each[name], 0.5) / percentile(each[NAIVE], 0.5) for each in rounds
    ).median
