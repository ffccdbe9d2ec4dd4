"""Dead letters for operators: list, show, replay, delete."""

import base64
from collections.abc import Iterator, Sequence
from typing import Any, Literal, cast

import msgspec
import redis

from tasks.ledger import keys
from tasks.ledger.queue.bounds import Bounds
from tasks.ledger.script_constants import MAX_WEBHOOKS, dead_letter_bounds
from tasks.ledger.scripts import load_script
from tasks.record import Record
from tasks.settings import Settings
from tasks.wire import encode
from telemetry.errors import DeadLetterNotFound

WEBHOOK_QUEUE = "webhooks"
"""The queue that dead letters of events for webhooks name."""
LETTERS_PER_ROUND_TRIP = 100
"""Letters read or deleted in one round trip."""
BYTES_PER_ROUND_TRIP = 4 * 2**20
"""Bytes of letters read in one round trip, during which Redis serves no other client."""


class Letter(msgspec.Struct, frozen=True, kw_only=True):
    """A dead letter without its message."""

    id: str
    """The prediction's id if it could be read, else an id of the letter's own."""
    queue: str
    model: str
    """``model:version``; empty if the message does not say."""
    code: str
    """Code of the error that ended it."""
    reason: str
    attempts: int
    """Attempts that were started; 0 for a message that could not be read."""
    accepted_at: float | None
    """Unix seconds; null if unknown."""
    died_at: float
    """Unix seconds by Redis's clock."""


class WholeLetter(Letter, frozen=True, kw_only=True):
    """A dead letter with its message."""

    message: str
    encoding: str = "utf-8"
    """``base64`` if the message is not UTF-8."""

    @property
    def content(self) -> bytes:
        """The message as it lay on the queue."""
        if self.encoding == "base64":
            return base64.b64decode(self.message)
        return self.message.encode()


class Replay(msgspec.Struct, frozen=True):
    """A replay."""

    task_id: str | None
    """Id of its prediction; None if the message has no readable id."""


ReplayAnswer = Literal["replayed", "gone", "full", "stands"]
"""``gone``: the letter no longer exists. ``stands``: the prediction has no outcome, or did not
fail."""


class Filter(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Selects letters; a field that is None selects all."""

    model: str | None = None
    """Model name, or ``model:version``."""
    code: str | None = None
    queue: str | None = None

    def takes(self, letter: Letter) -> bool:
        """Whether the letter matches."""
        name, _, _ = letter.model.rpartition(":")
        return (
            self.model in (None, letter.model, name)
            and self.code in (None, letter.code)
            and self.queue in (None, letter.queue)
        )


class Totals(msgspec.Struct, frozen=True, kw_only=True):
    """Counts of dead letters."""

    kept: int
    bytes: int
    buried: int
    dropped: int
    """How many of ``buried`` were dropped to stay within the bounds."""


_letter = msgspec.json.Decoder(Letter)
_whole = msgspec.json.Decoder(WholeLetter)


class DeadLetters:
    """Reads, replays and deletes dead letters."""

    def __init__(self, client: redis.Redis, settings: Settings) -> None:
        self._client = client
        bounds = dead_letter_bounds(settings)
        self._replay = load_script(client, "ledger.dead_letters.replay", **bounds)
        self._resend = load_script(client, "webhooks.resend", **bounds)
        self._list = load_script(client, "ledger.dead_letters.letters", **bounds)
        self._delete = load_script(client, "ledger.dead_letters.delete", **bounds)

    def find(self, which: Filter) -> Iterator[Letter]:
        """The letters that match, newest first."""
        # All ids at once: pages by index would shift as letters are buried and deleted meanwhile.
        ids = cast("list[bytes]", self._client.zrevrange(keys.DEAD_LETTER_TIMES, 0, -1))
        for at in range(0, len(ids), LETTERS_PER_ROUND_TRIP):
            letters = self._heads(ids[at : at + LETTERS_PER_ROUND_TRIP])
            yield from filter(which.takes, letters)

    def _heads(self, ids: list[bytes]) -> Iterator[Letter]:
        """The letters of these ids that still exist, without their messages."""
        # The script returns fewer than asked once the bytes are used up, so ask for the rest.
        while ids:
            texts = cast("list[bytes | None]", self._list(args=[BYTES_PER_ROUND_TRIP, *ids]))
            ids = ids[len(texts) :]
            yield from (_letter.decode(text) for text in texts if text is not None)

    def show(self, id: str) -> WholeLetter:
        """One letter with its message; raises `DeadLetterNotFound`."""
        text = cast("bytes | None", self._client.hget(keys.DEAD_LETTERS, id))
        if text is None:
            raise DeadLetterNotFound(f"there is no dead letter {id[:200]!r}")
        return _whole.decode(text)

    def replay(
        self, letter: Letter, message: bytes, record: Record | None, queue: Bounds
    ) -> ReplayAnswer:
        """Push a letter's message again, and write its queued record if there is one."""
        script_keys = [letter.queue, keys.QUEUED + letter.queue]
        # `died_at` tells this letter from a later one with the same id.
        arguments: list[Any] = [letter.id, letter.died_at, message, queue.rows, queue.bytes]
        if record is not None:
            script_keys.append(keys.record(record.task_id))
            arguments.append(encode(record))
        answer = cast("bytes", self._replay(keys=script_keys, args=arguments))
        return cast("ReplayAnswer", answer.decode())

    def resend(self, letter: WholeLetter) -> ReplayAnswer:
        """Have the event of a letter sent again; for letters of `WEBHOOK_QUEUE`."""
        arguments: list[Any] = [letter.id, letter.died_at, letter.content, MAX_WEBHOOKS]
        return cast("ReplayAnswer", cast("bytes", self._resend(args=arguments)).decode())

    def delete(self, ids: Sequence[str]) -> int:
        """Delete letters; returns how many existed."""
        # In slices: Redis serves no other client while a script runs.
        parts = (
            ids[at : at + LETTERS_PER_ROUND_TRIP]
            for at in range(0, len(ids), LETTERS_PER_ROUND_TRIP)
        )
        return sum(int(self._delete(args=[*part])) for part in parts)

    def replayed(self, id: str) -> Replay | None:
        """The replay of a letter within the last hour; None if there was none."""
        told = cast("bytes | None", self._client.get(keys.REPLAYED + id))
        return None if told is None else Replay(told.decode() or None)

    def totals(self) -> Totals:
        """Counts over all letters."""
        with self._client.pipeline(transaction=False) as pipe:
            pipe.zcard(keys.DEAD_LETTER_TIMES)
            pipe.hgetall(keys.DEAD_LETTER_TOTALS)
            kept, counts = pipe.execute()
        told = {name.decode(): int(value) for name, value in counts.items()}
        counted = ("bytes", "buried", "dropped")
        return Totals(kept=kept, **{name: told.get(name, 0) for name in counted})
