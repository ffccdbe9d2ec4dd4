"""The overview: whether all is well, and if not, what to do first."""

from collections.abc import Iterator, Mapping
from typing import Literal

import msgspec

from api.console.formatting import duration, thousands
from api.console.live.sampler import Picture
from api.console.live.snapshot import StackSnapshot
from tasks.gateway import QUEUE
from tasks.jobs.messages import BULK
from tasks.ledger.pauses.pauses import Paused

Level = Literal["good", "warn", "bad"]
OLD_SECONDS = 30.0
"""Seconds that a message may wait before the overview mentions it."""
CANARY_INTERVALS = 4
"""Intervals without a canary after which a queue counts as blocked."""
MIN_OUTCOMES = 5
"""Outcomes of the last seconds below which a share of failures says nothing."""
FAILED_SHARE = 0.05
"""Share of failures above which a version is mentioned."""
Outcomes = Mapping[str, Mapping[str, int]]


class Concern(msgspec.Struct, frozen=True):
    """Something that needs attention, and its remedy."""

    level: Level
    what: str
    remedy: str
    link: str = ""
    """Path of the page where it can be mended; empty if there is none."""


class Overview(msgspec.Struct, frozen=True):
    """What the page shows."""

    level: Level
    sentence: str
    concerns: list[Concern]


def overview(picture: Picture, outcomes: Outcomes, canary_interval: float) -> Overview:
    """Judge a picture. ``outcomes``: of the last seconds, by version and state."""
    concerns = list(_concerns(picture, outcomes, canary_interval))
    concerns.sort(key=lambda concern: concern.level)  # "bad" comes before "warn"
    if not concerns:
        return Overview("good", "All is well.", [])
    first = concerns[0]
    more = f" {len(concerns) - 1} more below." if len(concerns) > 1 else ""
    return Overview(first.level, f"{first.what}.{more}", concerns)


def _concerns(picture: Picture, outcomes: Outcomes, interval: float) -> Iterator[Concern]:
    if picture.away_since is not None:
        yield Concern(
            "bad",
            "Redis does not answer",
            "Accepted predictions are safe in its file, and new ones are refused until it is back. "
            "`up` starts its own Redis again; otherwise look at the server behind REDIS_URL.",
        )
    now = picture.snapshot
    if now is not None and picture.away_since is None:
        yield from _of_workers(now)
        yield from map(_of_pause, now.paused)
        yield from _of_queues(now, interval)
        yield from _of_failures(outcomes)
        yield from _of_letters(now)


def _of_workers(now: StackSnapshot) -> Iterator[Concern]:
    computing = now.queues[QUEUE].workers
    if not computing:
        remedy = "Start one with `predictq up`, or read worker.log for the reason that it ended."
        yield Concern("bad", "No worker takes predictions", remedy, "/console/workers")
    elif not any(worker["processes"] for worker in computing):
        remedy = "Wait until the models are loaded; predictions that are sent now will queue."
        yield Concern("warn", "The workers load their first models", remedy, "/console/workers")
    jobs = now.queues[BULK]
    if jobs.depth and not jobs.workers:
        remedy = f"Start a worker with `-Q {BULK}`: {thousands(jobs.depth)} steps wait."
        yield Concern("bad", "No worker takes batch jobs", remedy, "/console/batches")


def _of_pause(paused: Paused) -> Concern:
    parked = f" {thousands(paused.parked)} messages wait for its end." if paused.parked else ""
    if paused.probe_at is None:
        remedy = "Resume it once its cause is gone."
    else:
        remedy = "Mend the cause; a probe resumes it by itself, or resume it now."
    what = f"{paused.model} is paused: {paused.reason}"
    return Concern("warn", what, remedy + parked, f"/console/models/{_model_of(paused.model)}")


def _of_queues(now: StackSnapshot, interval: float) -> Iterator[Concern]:
    for name, queue in now.queues.items():
        if name != BULK and (queue.oldest or 0) > OLD_SECONDS:
            what = f"The oldest prediction has waited for {duration(queue.oldest)}"
            remedy = "Add workers, or send less; the page of the queues says how long it takes."
            yield Concern("warn", what, remedy, "/console/queues")
        if now.canary_ages.get(name, 0) > interval * CANARY_INTERVALS and queue.workers:
            what = f"No canary has come through the queue {name} for {interval:.0f} s or more"
            remedy = (
                "Its workers live and answer nothing: read worker.log, then `predictq restart`."
            )
            yield Concern("bad", what, remedy, "/console/workers")


def _of_failures(outcomes: Outcomes) -> Iterator[Concern]:
    for version, states in outcomes.items():
        failed = states.get("failed", 0)
        decided = failed + states.get("succeeded", 0)
        if decided >= MIN_OUTCOMES and failed > decided * FAILED_SHARE:
            share = f"{thousands(failed)} of the last {thousands(decided)}"
            what = f"{version}: {share} answers are failures"
            remedy = "Look at the errors of its predictions; they name the rows or the model."
            yield Concern("warn", what, remedy, f"/console/models/{_model_of(version)}")


def _of_letters(now: StackSnapshot) -> Iterator[Concern]:
    if now.dead_letters:
        many = now.dead_letters
        what = f"{thousands(many)} dead letter{'s' if many > 1 else ''}"
        remedy = "Mend the cause that they name, then replay them."
        yield Concern("warn", what, remedy, "/console/dead-letters")


def _model_of(reference: str) -> str:
    return reference.rpartition(":")[0]
