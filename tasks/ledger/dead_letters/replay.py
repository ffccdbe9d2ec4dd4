"""Replays dead letters: their messages go back to their queues, under the same ids."""

import contextlib
from collections.abc import Iterable
from typing import Any

import msgspec

from tasks.ledger.dead_letters.letters import WEBHOOK_QUEUE, DeadLetters, WholeLetter
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
    """A letter that was not replayed, and the reason."""

    id: str
    code: str
    detail: str


class Replays:
    """An operator's replays, which alone may reopen a failed outcome."""

    def __init__(self, ledger: Ledger, letters: DeadLetters) -> None:
        self._ledger = ledger
        self._letters = letters

    def replay(self, id: str) -> str | None:
        """Replay one letter; returns the id of its prediction, None if it has no readable id.

        A letter replayed within the hour is not replayed again; its id is returned. Raises
        `DeadLetterNotFound`, `OutcomeConflict` or `QueueFull`.
        """
        try:
            return self._replay(self._letters.show(id))
        except DeadLetterNotFound:
            # The answer to an earlier call may have been lost; then this one gets it.
            replayed = self._letters.replayed(id)
            if replayed is None:
                raise
            return replayed.task_id

    def _replay(self, letter: WholeLetter) -> str | None:
        if letter.queue == WEBHOOK_QUEUE:
            return self._resend(letter)
        envelope = _read(letter.content)
        task_id = _header(envelope, "id")
        record = self._reopened(task_id, envelope) if task_id else None
        message = _without_deadline(letter.content, envelope)
        match self._letters.replay(letter, message, record, self._ledger.bounds):
            case "gone":
                raise DeadLetterNotFound(f"the dead letter {letter.id!r} no longer exists")
            case "stands":
                raise OutcomeConflict(f"{task_id} did not fail, so it cannot be replayed")
            case "full":
                raise QueueFull(f"the queue {letter.queue!r} is full")
        return task_id

    def _resend(self, letter: WholeLetter) -> str:
        match self._letters.resend(letter):
            case "gone":
                raise DeadLetterNotFound(f"the dead letter {letter.id!r} no longer exists")
            case "full":
                raise QueueFull(f"the queue {letter.queue!r} is full")
        return str(decode(letter.content)["subject"])

    def replay_all(self, ids: Iterable[str]) -> tuple[list[str], list[Refused]]:
        """Replay letters in order, up to a full queue; returns those replayed and those refused."""
        replayed: list[str] = []
        refused: list[Refused] = []
        for letter_id in ids:
            try:
                self.replay(letter_id)
            except PredictqError as error:
                refused.append(Refused(letter_id, error.code, error.message))
                if isinstance(error, QueueFull):  # the next ones would be refused as well
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
            # replay.lua appends its new number.
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
    """The message without its queue deadline: a replay runs however late it is."""
    if _header(envelope, "expires") is None:
        return message
    # The order of the fields stays: scripts match the first headers by their position.
    return encode({**envelope, "headers": {**envelope["headers"], "expires": None}})
