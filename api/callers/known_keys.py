"""The keys that a process knows: those of files, and those of Redis, read every 5 s at most."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from time import monotonic

import redis

from api.callers.static_keys import StaticKeys
from api.limits.per_second import PerSecond
from tasks.callers.caller import Caller
from tasks.callers.tokens import Token, read_token
from tasks.ledger import keys
from tasks.ledger.api_keys.api_key import ApiKey, read_stored_key
from tasks.ledger.predictions.pipeline import Pipeline
from telemetry.errors import KeyInvalid

log = logging.getLogger(__name__)
FRESH_SECONDS = 4.0
"""Seconds for which a key is not read again, so that a revoked one stops within five."""
NOTE_SECONDS = 60.0
"""Seconds between two notes of the use of a key, by each process."""
SECOND_LOOKS = 50
"""Keys that are read before their time in a second, as a wrong secret came with their id."""
MAX_KNOWN = 20_000
"""Keys that are remembered, and ids that no key has."""
Presented = Callable[[bytes, str], Awaitable[Caller | None]]
"""Gives the caller that an `Authorization` header from an address stands for; None without one."""


class _Known:
    """A key as it was read, and the time."""

    __slots__ = ("key", "noted_at", "read_at")

    def __init__(self, key: ApiKey | None, read_at: float, noted_at: float) -> None:
        self.key, self.read_at, self.noted_at = key, read_at, noted_at

    def caller(self, token: Token, address: str) -> Caller:
        """The caller with this token; raises as `ApiKey.check`."""
        if self.key is None:
            raise KeyInvalid
        return self.key.check(token, address, time.time())


class KnownKeys:
    """Finds callers by the keys that they present, on the event loop."""

    def __init__(self, static: StaticKeys, pipeline: Pipeline) -> None:
        self._static, self._pipeline = static, pipeline
        self._known: dict[str, _Known] = {}
        self._looks = PerSecond()
        self._notes: set[asyncio.Future[None]] = set()

    async def caller(self, header: bytes, address: str) -> Caller | None:
        """The caller that sends this `Authorization` header; None if it has no bearer token.

        Raises `KeyInvalid`, `KeyExpired`, `KeyRevoked`, `Forbidden` if the key may not be used from
        this address, and `redis.RedisError` for a key that must be read while Redis is away.
        """
        scheme, _, given = header.partition(b" ")
        if scheme.lower() != b"bearer":
            return None
        text = given.strip().decode("latin-1")
        token = read_token(text)
        # Refused without any look-up, so that a flood of malformed tokens costs little.
        if token is None:
            return self._static.owner(text)
        if key := self._static.find(token.id):
            return key.check(token, address, time.time())
        known = self._known.get(token.id)
        if known is None or monotonic() - known.read_at > FRESH_SECONDS:
            known = await self._read(token.id)
            caller = known.caller(token, address)
        else:
            caller = await self._from_known(known, token, address)
        if monotonic() - known.noted_at > NOTE_SECONDS:
            self._note(token.id, known)
        return caller

    async def _from_known(self, known: _Known, token: Token, address: str) -> Caller:
        try:
            return known.caller(token, address)
        except KeyInvalid:  # the key may have been made or rotated just now
            if self._looks.add() > SECOND_LOOKS:
                raise
        return (await self._read(token.id)).caller(token, address)

    async def _read(self, key_id: str) -> _Known:
        text = await self._pipeline.ask("HGET", keys.API_KEYS, key_id)
        before = self._known.pop(key_id, None)
        if len(self._known) >= MAX_KNOWN:  # the key whose last read is oldest
            del self._known[next(iter(self._known))]
        noted_at = before.noted_at if before else float("-inf")
        known = self._known[key_id] = _Known(
            text and read_stored_key(key_id, text), monotonic(), noted_at
        )
        return known

    def _note(self, key_id: str, known: _Known) -> None:
        """Note the use of a key in the background."""
        known.noted_at = monotonic()
        note = asyncio.ensure_future(self._write_use(key_id))
        self._notes.add(note)
        note.add_done_callback(self._notes.discard)

    async def _write_use(self, key_id: str) -> None:
        try:
            await self._pipeline.ask("HSET", keys.API_KEYS_USED, key_id, int(time.time()))
        except redis.RedisError as error:
            log.info("the use of a key could not be noted: %s", error, extra={"key": key_id})
