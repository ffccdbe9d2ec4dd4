"""Buries unreadable messages as dead letters, and settles their predictions as failed."""

import base64
import logging
import re
from typing import Any, cast

import redis

from tasks.ledger import keys
from tasks.ledger.heads import letter_head
from tasks.ledger.ledger import Ledger
from tasks.ledger.queue.reservations import queue_of_tag
from tasks.ledger.script_constants import PROBING, dead_letter_bounds
from tasks.ledger.scripts import load_script
from tasks.record import Record
from tasks.settings import Settings
from tasks.wire import decode, encode
from telemetry.errors import Malformed, PredictqError

log = logging.getLogger(__name__)
MAX_REASON_CHARS = 1000
"""Longest reason in characters: it may quote the message."""
_plain = re.compile(r"[\w.:-]{1,128}", re.ASCII)


class Burial:
    """Writes dead letters for messages that a worker cannot read."""

    def __init__(self, client: redis.Redis, settings: Settings) -> None:
        self._client = client
        self._settings = settings
        self._ledger = Ledger(client, settings)
        self._bury = load_script(
            client, "ledger.dead_letters.bury", **PROBING, **dead_letter_bounds(settings)
        )

    def bury_by_tag(self, tag: str, reason: str) -> None:
        """Bury a reserved message, given only its tag."""
        message = cast("bytes | None", self._client.hget(keys.RESERVED, tag))
        if message is not None:
            self.bury(tag, message, reason)

    def bury(self, tag: str, message: bytes, reason: str) -> None:
        """Keep a reserved message whole as a dead letter; its prediction, if known, has failed."""
        headers, error = _headers(message), Malformed(reason[:MAX_REASON_CHARS])
        letter_id, task_id = _ids(headers, tag)
        letter = letter_head(
            queue=queue_of_tag(tag),
            model=_version(headers),
            code=error.code,
            reason=error.message,
            attempts=0,
            accepted_at=None,
            **_content(message),
        )
        script_keys = [keys.RESERVED, keys.DUE]
        # Without the opening brace: bury.lua puts the id and the time in front.
        arguments: list[str | bytes | int] = [tag, letter_id, letter[1:] + b"}"]
        if task_id is not None:
            script_keys += [keys.ATTEMPTS, keys.record(task_id)]
            arguments += [task_id, self._outcome(task_id, error), self._settings.result_ttl]
        dropped = cast("int | None", self._bury(keys=script_keys, args=arguments))
        fields = {"id": letter_id, "model": _version(headers), "tag": tag}
        log.warning("an unreadable message became a dead letter: %s", error.message, extra=fields)
        if dropped:
            log.warning("dropped %s dead letters, since there were too many", dropped)

    def _outcome(self, task_id: str, error: PredictqError) -> bytes:
        # Our front end has written a record before the message; a stock producer writes none.
        known = self._ledger.record(task_id) or Record.read(task_id, None)
        return encode(known.failed(error, 0))


def _headers(message: bytes) -> dict[str, Any]:
    """The headers, or {} if they cannot be read."""
    try:
        payload = decode(message)
    except Malformed:
        return {}
    headers = payload.get("headers") if isinstance(payload, dict) else None
    return headers if isinstance(headers, dict) else {}


def _ids(headers: dict[str, Any], tag: str) -> tuple[str, str | None]:
    """The ids of letter and prediction; an id that is unsafe in a path does not name a letter."""
    given = headers.get("id")
    if not isinstance(given, str) or not given:
        return tag, None
    return (given if _plain.fullmatch(given) else tag), given


def _version(headers: dict[str, Any]) -> str:
    # `model:version method`; stored under a name from before the word microbatch.
    batch = headers.get("batch")
    return batch.partition(" ")[0][:128] if isinstance(batch, str) else ""


def _content(message: bytes) -> dict[str, str]:
    try:
        return {"message": message.decode()}
    except UnicodeDecodeError:  # letters are JSON, which has no bytes
        return {"message": base64.b64encode(message).decode(), "encoding": "base64"}
