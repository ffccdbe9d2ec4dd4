"""One system at its limit: submissions in a closed loop, then every outcome, each compared."""

from collections.abc import Mapping

import msgspec

from benchmarks.harness.candidates import Candidate
from benchmarks.harness.load import Accepted, answer, collect, submit, wait_for
from benchmarks.harness.models import Questions
from benchmarks.harness.processes import Processes
from benchmarks.harness.wire import LoadFailed

WARMING = 1.0
"""Seconds."""


class Receipt(msgspec.Struct, frozen=True):
    """What predictq says of the batch that a prediction was in."""

    queue_ms: float
    compute_ms: float
    batch_size: int


class Outcome(msgspec.Struct, frozen=True):
    """A succeeded prediction, as any of the systems gives it."""

    predictions: list[list[float] | float | int]
    receipt: Receipt | None = None

    @property
    def model_seconds(self) -> float:
        """Its rows' share of the time that its batch took in the model."""
        if self.receipt is None:
            return 0.0
        return self.receipt.compute_ms / 1000 * len(self.predictions) / self.receipt.batch_size


class Saturated(msgspec.Struct, frozen=True):
    """What came of it."""

    accepted: int
    again: int
    """How often a submission was asked again, after a 503."""
    seconds: float
    """From the first submission to the last stored result."""
    cpu: dict[str, float]
    """Seconds for each process and its descendants, until then."""
    api_cpu: float
    """Seconds of the HTTP server during the submissions alone."""
    outcomes: list[Outcome]

    @property
    def rate(self) -> float:
        """Predictions a second."""
        return self.accepted / self.seconds


def saturate(
    candidate: Candidate,
    processes: Processes,
    questions: Questions,
    seconds: float,
    most: int = 1 << 62,
) -> Saturated:
    """Submit for so long, or so many, and wait for all; raises `LoadFailed` where one is wrong."""
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
    """The outcomes, each seen to be what the model itself says to the same rows."""
    outcomes = [_outcome(body) for body in bodies]
    for index, outcome in zip(accepted.requests, outcomes, strict=True):
        if not questions.agrees(index, outcome.predictions):
            raise LoadFailed(f"not what the model says to request {index}: {outcome.predictions}")
    if len(set(accepted.ids)) != len(accepted.ids):
        raise LoadFailed("two predictions were given the same id")
    return outcomes


def warm(candidate: Candidate, questions: Questions) -> None:
    """All is loaded, compiled and connected before anything is measured."""
    answer(candidate.port, questions.requests(), WARMING)


def _outcome(body: bytes) -> Outcome:
    try:
        return msgspec.json.decode(body, type=Outcome)
    except msgspec.DecodeError as error:
        raise LoadFailed(f"no prediction: {body[:300]!r} ({error})") from error


def _difference(after: Mapping[str, float], before: Mapping[str, float]) -> dict[str, float]:
    return {name: after[name] - before[name] for name in after}
