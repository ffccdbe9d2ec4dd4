"""A system at saturation: submits in a closed loop, then fetches and checks every outcome."""

from collections.abc import Mapping

import msgspec

from benchmarks.harness.candidates import Candidate
from benchmarks.harness.load import Accepted, answer, collect, submit, wait_for
from benchmarks.harness.models import Questions
from benchmarks.harness.processes import Processes
from benchmarks.harness.wire import LoadFailed

WARMING = 1.0
"""Seconds of warm-up."""


class Receipt(msgspec.Struct, frozen=True):
    """The fields of predictq's receipt on the microbatch."""

    queue_ms: float
    compute_ms: float
    batch_size: int


class Outcome(msgspec.Struct, frozen=True):
    """A succeeded prediction, as any of the systems returns it."""

    predictions: list[list[float] | float | int]
    receipt: Receipt | None = None

    @property
    def model_seconds(self) -> float:
        """Its share of the model time of its microbatch."""
        if self.receipt is None:
            return 0.0
        return self.receipt.compute_ms / 1000 * len(self.predictions) / self.receipt.batch_size


class Saturated(msgspec.Struct, frozen=True):
    """The results of a measurement at saturation."""

    accepted: int
    again: int
    """Number of submissions retried after a 503."""
    seconds: float
    """From the first submission to the last stored result."""
    cpu: dict[str, float]
    """CPU seconds of each process and its descendants, until then."""
    api_cpu: float
    """CPU seconds of the HTTP server during the submissions only."""
    outcomes: list[Outcome]

    @property
    def rate(self) -> float:
        """Predictions per second."""
        return self.accepted / self.seconds


def saturate(
    candidate: Candidate,
    processes: Processes,
    questions: Questions,
    seconds: float,
    most: int = 1 << 62,
) -> Saturated:
    """Submit for some seconds or a number of predictions, and wait for all outcomes.

    Raises `LoadFailed` if an outcome is wrong.
    """
    before = processes.cpu()
    accepted = submit(candidate.port, questions.requests(), seconds, most)
    submitted = processes.cpu()
    last = wait_for(candidate.port, accepted.ids[-1])
    used = processes.cpu()
    found = collect(candidate.port, accepted.ids)
    ended = max(last.ended, found.ended, accepted.ended)
    return Saturated(
        accepted=len(accepted.ids),
        again=accepted.again,
        seconds=ended - accepted.started,
        cpu=_difference(used, before),
        api_cpu=submitted["api"] - before["api"],
        outcomes=compared(accepted, found.bodies, questions),
    )


def compared(accepted: Accepted, bodies: list[bytes], questions: Questions) -> list[Outcome]:
    """Parse the outcomes, and compare each with the model's own predictions."""
    outcomes = [_outcome(body) for body in bodies]
    for index, outcome in zip(accepted.requests, outcomes, strict=True):
        if not questions.agrees(index, outcome.predictions):
            raise LoadFailed(f"not what the model says to request {index}: {outcome.predictions}")
    if len(set(accepted.ids)) != len(accepted.ids):
        raise LoadFailed("two predictions were given the same id")
    return outcomes


def warm(candidate: Candidate, questions: Questions) -> None:
    """Warm up: everything is loaded, compiled and connected before the measurement."""
    answer(candidate.port, questions.requests(), WARMING)


def _outcome(body: bytes) -> Outcome:
    try:
        return msgspec.json.decode(body, type=Outcome)
    except msgspec.DecodeError as error:
        raise LoadFailed(f"no prediction: {body[:300]!r} ({error})") from error


def _difference(after: Mapping[str, float], before: Mapping[str, float]) -> dict[str, float]:
    return {name: after[name] - before[name] for name in after}
