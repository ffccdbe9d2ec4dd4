"""The evidence on every accepted id, and the accounts drawn from it."""

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from benchmarks.prove.witness import CALM, CRASHES, HANGS, LEAKS, RAISES

TERMINAL = ("succeeded", "failed", "cancelled", "expired")


class Asked(msgspec.Struct, frozen=True):
    """One request: its number, which determines its row and answer, and its misbehaviour."""

    number: int
    kind: int = CALM
    cancelled: bool = False
    """Whether its caller cancelled it."""
    times_out: bool = False
    """Whether its time limit is shorter than its computation."""
    queue_seconds: float = 0.0
    """Its `max_queue_seconds`; 0 for no limit."""
    row_of: int = 0
    """Number of the request whose row it has, and whose answer it may reuse; 0 for its own."""
    tenant: int = 0
    """Number of the tenant whose key its caller presents."""
    has_webhook: bool = False
    """Whether its outcome is to be sent to the receiver."""

    @property
    def row(self) -> int:
        """The number in its row."""
        return self.row_of or self.number


class Answer(msgspec.Struct, frozen=True):
    """A final answer: a terminal state, or what was returned instead."""

    state: str
    predictions: Any = None
    code: str = ""


class Event(msgspec.Struct, frozen=True):
    """A webhook event, as the receiver got it."""

    type: str
    predictions: Any = None


class Evidence(msgspec.Struct):
    """All answers of one design, and what its models computed."""

    accepted: dict[str, Asked]
    """Id → its request."""
    answers: dict[str, list[Answer]]
    """Id → every final answer seen, in order; the last one is read from the record."""
    told: Mapping[int, list[list[float]]]
    """Number → the model's own prediction."""
    computed: Counter[int]
    """Number → how often its computation was completed."""
    outcomes_written: int | None = None
    """Outcomes that the system counted; None if it does not count."""
    outcomes_kept: int | None = None
    """Number of terminal records, including those of ids unknown to callers."""
    turned_up: dict[str, Asked] = {}
    """Id → request of uncertain submissions that have a record after all."""
    refused: frozenset[int] = frozenset()
    """Numbers of requests that were refused for certain."""
    held_back: frozenset[str] = frozenset()
    """Ids without an outcome whose message is still stored somewhere."""
    events: Mapping[str, list[Event]] = {}
    """Id → every webhook event about it."""


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
    """How many of the lost would come back after the design's visibility timeout."""
    wrong: list[str]
    """Ids that succeeded with a wrong result, or should not have succeeded."""
    failed_innocently: list[str]
    """Ids that failed, expired or were cancelled although their request gave no reason."""
    changed: list[str]
    """Ids with two different outcomes."""
    stranded: list[str]
    """Ids of uncertain submissions that were accepted but have no outcome."""
    stolen: list[int]
    """Numbers that were computed although they were refused."""
    doubled: list[int]
    """Numbers that were accepted under more than one id."""
    written_twice: int
    """Outcomes counted minus terminal records; negative if one was not counted."""
    computed: int
    """Completed computations."""
    computed_again: int
    """Completed computations beyond the first of each number."""
    events: int
    """Webhook events received, repeated ones included."""
    events_missing: list[str]
    """Ids with an outcome, and a webhook that received no event."""
    events_wrong: list[str]
    """Ids of which an event told another outcome."""

    @property
    def adds_up(self) -> bool:
        """Whether each accepted id has exactly one terminal outcome."""
        ends = self.succeeded + self.failed + self.cancelled + self.expired
        return self.accepted == ends + len(self.lost)

    @property
    def faults(self) -> dict[str, int]:
        """Counts that must be zero."""
        return {
            "lost": len(self.lost),
            "wrong": len(self.wrong),
            "stranded": len(self.stranded),
            "refused and computed": len(self.stolen),
            "failed innocently": len(self.failed_innocently),
            "outcomes changed": len(self.changed),
            "accepted twice": len(self.doubled),
            "outcomes written twice": abs(self.written_twice),
            "events missing": len(self.events_missing),
            "events wrong": len(self.events_wrong),
        }


def account(evidence: Evidence) -> Accounts:
    """Compare the answers of every accepted id with the correct ones."""
    every = evidence.accepted | evidence.turned_up
    last = {task_id: _last(evidence, task_id) for task_id in every}
    open_still = [task_id for task_id, answer in last.items() if answer is None]
    lost = [task_id for task_id in open_still if task_id in evidence.accepted]
    outcomes = [answer for i, answer in last.items() if answer and i in evidence.accepted]
    states = Counter(answer.state for answer in outcomes)
    ended = [(task_id, asked, last[task_id]) for task_id, asked in every.items()]
    asked_of = Counter(asked.number for asked in every.values())
    awaited = {i: last[i] for i, asked in evidence.accepted.items() if asked.has_webhook}
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
        stolen=[
            # Not if another request, which was accepted, had the same row.
            number
            for number in evidence.refused - {asked.row_of for asked in every.values()}
            if number in evidence.computed
        ],
        doubled=[number for number, times in asked_of.items() if times > 1],
        written_twice=(evidence.outcomes_written or 0) - (evidence.outcomes_kept or 0),
        computed=evidence.computed.total(),
        computed_again=sum(times - 1 for times in evidence.computed.values()),
        events=sum(map(len, evidence.events.values())),
        events_missing=[i for i, end in awaited.items() if end and i not in evidence.events],
        events_wrong=[i for i, end in awaited.items() if end and _is_misreported(i, end, evidence)],
    )


def _is_misreported(task_id: str, answer: Answer, evidence: Evidence) -> bool:
    right = Event(f"prediction.{answer.state}", answer.predictions)
    return any(event != right for event in evidence.events.get(task_id, []))


def _terminal(evidence: Evidence, task_id: str) -> Iterator[Answer]:
    yield from (a for a in evidence.answers.get(task_id, []) if a.state in TERMINAL)


def _last(evidence: Evidence, task_id: str) -> Answer | None:
    """The final outcome; None if the record has none, whatever was seen before."""
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
    return asked.kind in (RAISES, CRASHES) or answer.predictions != evidence.told[asked.row]


def _is_unjust(asked: Asked, answer: Answer) -> bool:
    match answer.state:
        case "failed":
            # A leak may crash the same request again and again, as out of memory does.
            guilty = asked.kind in (RAISES, CRASHES, LEAKS)
            return not guilty and not (asked.kind == HANGS and asked.times_out)
        case "cancelled":
            return not asked.cancelled
        case "expired":
            return not asked.queue_seconds
    return False
