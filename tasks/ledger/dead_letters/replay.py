"""Gives dead letters back to their queues, under the ids that they had."""

import contextlib
from collections.abc import Iterable
from typing import Any

import msgspec

from tasks.ledger.dead_letters.letters import DeadLetters, WholeLetter
from tasks.ledger.ledger import Ledger
from tasks.messages import Call, read_call
from tasks.record import CELERY_STATUS, Record
from tasks.wire import decode, encode
from telemetry.errors import (
    DeadLetterNotFound,
    Malformed,
    OutcomeConflict,
    PredictqError,
    QueueFull,
)


class Refused(msgspec.Struct, frozen=True):
    """A letter that was not replayed, and why."""

    id: str
    code: str
    detail: str


class Replays:
    """The explicit act of an operator, and the one thing that reopens a failed outcome."""

    def __init__(self, ledger: Ledger, letters: DeadLetters) -> None:
        self._ledger = ledger
        self._letters = letters

    def replay(self, id: str) -> str | None:
        """Replay one letter; gives the id of its prediction, None where nobody could read one.

        One that was replayed of late is not replayed again, and gives the same. Raises
        `DeadLetterNotFound`, `OutcomeConflict` or `QueueFull`.
        """
        try:
            return self._replay(self._letters.show(id))
        except DeadLetterNotFound:
            task_id = self._letters.replayed(id)
            if task_id is None:
                raise
            return task_id or None

    def _replay(self, letter: WholeLetter) -> str | None:
        envelope = _read(letter.content)
        task_id = _header(envelope, "id")
        record = self._reopened(task_id, envelope) if task_id else None
        message = _without_deadline(letter.content, envelope)
        match self._letters.replay(letter, message, record, self._ledger.bounds):
            case "gone":
                raise DeadLetterNotFound(f"there is no dead letter {letter.id!r} any more")
            case "stands":
                raise OutcomeConflict(f"{task_id} did not fail; there is nothing to replay")
            case "full":
                raise QueueFull(f"the queue {letter.queue!r} is full")
        return task_id

    def replay_all(self, ids: Iterable[str]) -> tuple[list[str], list[Refused]]:
        """Replay these in their order; the letters that were, and those that were not."""
        replayed: list[str] = []
        refused: list[Refused] = []
        for letter_id in ids:
            try:
                self.replay(letter_id)
            except PredictqError as error:
                refused.append(Refused(letter_id, error.code, error.message))
                if isinstance(error, QueueFull):
                    break
            else:
                replayed.append(letter_id)
        return replayed, refused

    def _reopened(self, task_id: str, envelope: dict[str, Any]) -> Record:
        known = self._ledger.record(task_id) or Record.read(task_id, _call(envelope))
        return msgspec.structs.replace(
            known,
            status=CELERY_STATUS["queued"],
            state="queued",
            queue_deadline=None,
            result=None,
            date_done=None,
            receipt=None,
            error=None,
            number=msgspec.UNSET,
        )


def _read(message: bytes) -> dict[str, Any]:
    with contextlib.suppress(Malformed):
        envelope = decode(message)
        if isinstance(envelope, dict):
            return envelope
    return {}


def _header(envelope: dict[str, Any], name: str) -> str | None:
    headers = envelope.get("headers")
    value = headers.get(name) if isinstance(headers, dict) else None
    return value if isinstance(value, str) and value else None


def _call(envelope: dict[str, Any]) -> Call | None:
    body = envelope.get("body")
    try:
        return read_call(body.encode()) if isinstance(body, str) else None
    except PredictqError:
        return None


def _without_deadline(message: bytes, envelope: dict[str, Any]) -> bytes:
    """It is computed now, however late."""
    if _header(envelope, "expires") is None:
        return message
    return encode({**envelope, "headers": {**envelope["headers"], "expires": None}})
