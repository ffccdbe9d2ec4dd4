"""What the callers saw: the answers to their submissions and look-ups."""

from typing import Any

import msgspec

from benchmarks.harness.wire import Response
from benchmarks.prove.evidence import Answer, Asked

CERTAIN = frozenset({"busy", "queue_full", "unavailable", "version_paused"})
"""Codes of a 503 that mean "not accepted"; an uncertain submission has another code."""


class Submission(msgspec.Struct, frozen=True):
    """The result of one submission as its caller saw it."""

    due: float
    seconds: float
    """Seconds from the time it was due to the first answer."""
    status: int


class Body(msgspec.Struct):
    """The fields of an answer, or of one of its lines, as far as callers need them."""

    id: str = ""
    status: str | int = ""
    predictions: Any = None
    code: str = ""
    error: dict[str, Any] | None = None
    line: int = 0
    """Number of a refused line of a bulk request, from 1."""


class Observed:
    """All that the callers of one design saw."""

    def __init__(self) -> None:
        self.accepted: dict[str, Asked] = {}
        self.uncertain: dict[str, Asked] = {}
        """Ids named in a 503, which may or may not have been accepted."""
        self.unanswered: set[int] = set()
        """Numbers of submissions without an answer, or with a 503 without an id."""
        self.refused: set[int] = set()
        """Numbers of submissions that were refused for certain."""
        self.answers: dict[str, list[Answer]] = {}
        self.submissions: list[Submission] = []
        self.strange: list[str] = []
        """Answers that must never occur."""

    def note_refusal(self, body: Body, asked: Asked) -> None:
        """Note that a submission was not accepted, as far as its caller knows."""
        if body.id:
            self.uncertain[body.id] = asked
        elif body.code not in CERTAIN:
            self.unanswered.add(asked.number)
        else:
            self.refused.add(asked.number)

    def note_outcome(self, task_id: str, body: Body) -> None:
        """Note a final answer."""
        code = str((body.error or {}).get("code", ""))
        state = str(body.status or "succeeded")
        self.answers.setdefault(task_id, []).append(Answer(state, body.predictions, code))


def read(response: Response) -> Body:
    """The body of an answer; empty if it is something else."""
    try:
        return msgspec.json.decode(response.body, type=Body)
    except msgspec.DecodeError:
        return Body()


def read_lines(response: Response) -> list[Body]:
    """The lines of an NDJSON answer; none if it is something else."""
    try:
        return msgspec.json.Decoder(Body).decode_lines(response.body)
    except msgspec.DecodeError:
        return []
