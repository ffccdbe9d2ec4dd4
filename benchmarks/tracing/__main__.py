"""`python -m benchmarks.tracing`: the CPU time that traces add to each prediction.

The ways alternate in one process, whose threads export the spans to another one.
"""

import gc
import os
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from multiprocessing import Pipe, Process
from multiprocessing.connection import Connection
from statistics import median

from benchmarks.tracing.predictions import MICROBATCH, Predictions
from telemetry.tracing.exporter import DELAY, Exporter, SpanResult
from telemetry.tracing.sampler import TraceSampler
from telemetry.tracing.span import TraceSpan
from telemetry.tracing.tracer import ENDPOINTS, Tracer

ROUNDS, MICROBATCHES = 20, 100
SHARES = {"none sampled": 0.0, "1 % sampled": 0.01, "10 % sampled": 0.1}
OFF = "off"


class CountingExporter(Exporter):
    """Knows whether all that it was given has been exported."""

    added = exported = 0

    def __init__(self) -> None:
        super().__init__("benchmark", self._count)

    def add(self, spans: Sequence[TraceSpan]) -> None:
        """Count, and export."""
        self.added += len(spans)
        super().add(spans)

    def wait(self) -> None:
        """Wait until all spans are exported or lost."""
        while self.exported < self.added:
            self._wake.set()
            time.sleep(0.01)

    def _count(self, counts: dict[SpanResult, int]) -> None:
        self.exported += sum(counts.values())
        if counts.get("lost"):
            raise SystemExit("spans were lost")


class Sink(BaseHTTPRequestHandler):
    """A collector that keeps nothing."""

    def do_POST(self) -> None:
        """Take what comes."""
        self.rfile.read(int(self.headers["content-length"]))
        self.send_response(200)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Write nothing."""


def _serve(told: Connection) -> None:
    server = HTTPServer(("127.0.0.1", 0), Sink)
    told.send(server.server_port)
    server.serve_forever()


@contextmanager
def _sink() -> Iterator[None]:
    ours, theirs = Pipe()
    process = Process(target=_serve, args=(theirs,), daemon=True)
    process.start()
    os.environ |= {ENDPOINTS[0]: f"http://127.0.0.1:{ours.recv()}", DELAY: "5000"}
    try:
        yield
    finally:
        process.terminate()


def main() -> None:
    """Measure, and print the median of each way and what it adds."""
    with _sink():
        exporter = CountingExporter()
        ways = {OFF: Predictions(None, exporter)}
        for name, share in SHARES.items():
            sampler = TraceSampler(round(share * 2**64), follows_parent=True)
            ways[name] = Predictions(Tracer(sampler, exporter), exporter)
        for way in ways.values():  # the library is loaded, and all is warm
            _measure(way, exporter, 2)
        costs: dict[str, list[float]] = {name: [] for name in ways}
        for number in range(ROUNDS):
            names = [*ways]
            for name in names[number % len(names) :] + names[: number % len(names)]:
                costs[name].append(_measure(ways[name], exporter, MICROBATCHES))
    off = costs[OFF]
    print(f"{OFF}: {median(off):.2f} µs of CPU time a prediction")
    for name in SHARES:
        added = [with_ - without for with_, without in zip(costs[name], off, strict=True)]
        print(f"{name}: {median(added):+.2f} µs")


def _measure(way: Predictions, exporter: CountingExporter, many: int) -> float:
    gc.collect()
    began = time.process_time()
    for _ in range(many):
        way.microbatch()
    exporter.wait()
    return (time.process_time() - began) / (many * MICROBATCH) * 1e6


if __name__ == "__main__":
    main()
