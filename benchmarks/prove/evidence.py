"""What is known of every accepted id, and what it comes to: the accounts."""

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from benchmarks.prove.witness import CALM, CRASHES, HANGS, LEAKS, RAISES

TERMINAL = ("succeeded", "failed", "cancelled", "expired")


class Asked(msgspec.Struct, frozen=True):
    """One request: its number, from which its row and its answer follow, and its mischief."""

    number: int
    kind: int = CALM
    cancelled: bool = False
    """Whether its caller asked for that."""
    times_out: bool = False
    """Whether it was given less time than it takes."""
    queue_seconds: float = 0.0
    """How long it was given to wait in; 0 for as long as it takes."""


class Answer(msgspec.Struct, frozen=True):
    """What stood in an answer that is not "wait"; a terminal state, or what there was instead."""

    state: str
    predictions: Any = None
    code: str = ""


class Evidence(msgspec.Struct):
    """All that one design said, and what its models did."""

    accepted: dict[str, Asked]
    """id → what it was accepted for."""
    answers: dict[str, list[Answer]]
    """id → each final answer that was ever seen, in order; the last look is the record itself."""
    told: Mapping[int, list[list[float]]]
    """number → what the model itself says."""
    computed: Counter[int]
    """number → how often its computation came to an end."""
    outcomes_written: int | None = None
    """What the system counted, where it counts."""
    outcomes_kept: int | None = None
    """Terminal records that there are, with those of ids that no caller was told."""
    turned_up: dict[str, Asked] = {}
    """Id → what it was asked for, of uncertain submissions that have a record after all."""
    refused: frozenset[int] = frozenset()
    """Numbers that were refused for certain, and never accepted."""
    held_back: frozenset[str] = frozenset()
    """Ids without an outcome whose message is still noted somewhere, to come back some day."""


class Accounts(msgspec.Struct, frozen=True):
    """Accepted = succeeded + failed + cancelled + expired + lost."""

    accepted: int
    succeeded: int
    failed: int
    cancelled: int
    expired: int
    lost: list[str]
    """Ids without an outcome at the end."""
    held_back: int
    """Those of the lost that would come back after the visibility timeout of the design."""
    wrong: list[str]
    """Ids that succeeded with something else than what the model says, or should not have."""
    failed_innocently: list[str]
    """Ids that failed, expired or were cancelled without a reason of their own."""
    changed: list[str]
    """Ids for which two different outcomes were seen."""
    stranded: list[str]
    """Ids of uncertain submissions that were accepted after all, and have no outcome."""
    stolen: list[int]
    """Numbers that were computed, though their callers were told that they are refused."""
    doubled: list[int]
    """Numbers that were accepted under more than one id."""
    written_twice: int
    """Outcomes counted beyond the records that there are; below zero, one was not counted."""
    computed: int
    """Computations that came to an end."""
    computed_again: int
    """Computations that came to an end beyond the first of their number."""

    @property
    def adds_up(self) -> bool:
        """Whether each accepted one has one terminal outcome."""
        ends = self.succeeded + self.failed + self.cancelled + self.expired
        return self.accepted == ends + len(self.lost)

    @property
    def faults(self) -> dict[str, int]:
        """What must be zero."""
        return {
            "lost": len(self.lost),
            "wrong": len(self.wrong),
            "stranded": len(self.stranded),
            "refused and computed": len(self.stolen),
            "failed innocently": len(self.failed_innocently),
            "outcomes changed": len(self.changed),
            "accepted twice": len(self.doubled),
            "outcomes written twice": abs(self.written_twice),
        }


def account(evidence: Evidence) -> Accounts:
    """Hold every accepted id against what was answered and what is right."""
    every = evidence.accepted | evidence.turned_up
    last = {task_id: _last(evidence, task_id) for task_id in every}
    open_still = [task_id for task_id, answer in last.items() if answer is None]
    lost = [task_id for task_id in open_still if task_id in evidence.accepted]
    outcomes = [answer for i, answer in last.items() if answer and i in evidence.accepted]
    states = Counter(answer.state for answer in outcomes)
    ended = [(task_id, asked, last[task_id]) for task_id, asked in every.items()]
    asked_of = Counter(asked.number for asked in every.values())
    return Accounts(
        accepted=len(evidence.accepted),
        succeeded=states["succeeded"],
        failed=states["failed"],
        cancelled=states["cancelled"],
        expired=states["expired"],
        lost=lost,
        held_back=len(evidence.held_back.intersection(lost)),
        wrong=[i for i, asked, answer in ended if answer and _is_wrong(asked, answer, evidence)],
        failed_innocently=[i for i, asked, answer in ended if answer and _is_unjust(asked, answer)],
        changed=[task_id for task_id in every if len(_seen(evidence, task_id)) > 1],
        stranded=[task_id for task_id in open_still if task_id in evidence.turned_up],
        stolen=[number for number in evidence.refused if number in evidence.computed],
        doubled=[number for number, times in asked_of.items() if times > 1],
        written_twice=(evidence.outcomes_written or 0) - (evidence.outcomes_kept or 0),
        computed=evidence.computed.total(),
        computed_again=sum(times - 1 for times in evidence.computed.values()),
    )


def _terminal(evidence: Evidence, task_id: str) -> Iterator[Answer]:
    yield from (a for a in evidence.answers.get(task_id, []) if a.state in TERMINAL)


def _last(evidence: Evidence, task_id: str) -> Answer | None:
    """The outcome that stands; none where the last look found none, whatever was seen before."""
    seen = evidence.answers.get(task_id, [])
    return seen[-1] if seen and seen[-1].state in TERMINAL else None


def _seen(evidence: Evidence, task_id: str) -> list[Answer]:
    different: list[Answer] = []
    for answer in _terminal(evidence, task_id):
        if answer not in different:
            different.append(answer)
    return different


def _is_wrong(asked: Asked, answer: Answer, evidence: Evidence) -> bool:
    if answer.state != "succeeded":
        return False
    return asked.kind in (RAISES, CRASHES) or answer.predictions != evidence.told[asked.number]


def _is_unjust(asked: Asked, answer: Answer) -> bool:
    match answer.state:
        case "failed":
            # A leak may end the same process again and again, like any that is out of memory.
            guilty = asked.kind in (RAISES, CRASHES, LEAKS)
            return not guilty and not (asked.kind == HANGS and asked.times_out)
        case "cancelled":
            return not asked.cancelled
        case "expired":
            return not asked.queue_seconds
    return False
