"""The keys in Redis, which all processes of the API share."""

import time
from collections.abc import Callable
from typing import cast

import redis
from msgspec.structs import replace

from tasks.callers.tokens import make_token
from tasks.ledger import keys
from tasks.ledger.api_keys.api_key import ApiKey, Secret, decode_key, encode_key, read_stored_key
from telemetry.errors import Busy, Invalid, KeyConflict, KeyNotFound

MAX_KEYS = 10_000
ENDED_KEY_SECONDS = 30 * 86_400
"""Seconds for which an ended key is kept, so that its use is answered with `KeyExpired` or
`KeyRevoked`."""
MAX_OVERLAP_SECONDS = 30 * 86_400


class KeyStore:
    """Makes, shows, rotates and revokes keys. Raises `redis.RedisError` without Redis."""

    def __init__(self, client: redis.Redis) -> None:
        self._client = client

    def create(self, wanted: ApiKey) -> tuple[ApiKey, str]:
        """Store a new key, with an id and a secret of its own; returns it with its token.

        Raises `KeyConflict` if an active key has its name, and `Busy` beyond `MAX_KEYS`.
        """
        key, token = with_token(wanted)

        def add(pipe: "redis.client.Pipeline") -> None:
            ended = _room_for(key, _read(pipe))
            pipe.multi()
            if ended:
                pipe.hdel(keys.API_KEYS, *ended)
                pipe.hdel(keys.API_KEYS_USED, *ended)
            pipe.hset(keys.API_KEYS, key.id, encode_key(key))

        self._update(add)
        return key, token

    def all(self) -> list[ApiKey]:
        """Every key that can be read, the oldest first."""
        return _read(self._client)

    def get(self, which: str) -> ApiKey:
        """The key of an id, or else the newest of a name; raises `KeyNotFound`."""
        known = self.all()
        found = [key for key in known if key.id == which] or [k for k in known if k.name == which]
        if not found:
            raise KeyNotFound(f"there is no key with the id or name {which[:100]!r}")
        return found[-1]

    def last_uses(self) -> dict[str, float]:
        """Id → Unix seconds of the last use, to a minute."""
        found = cast("dict[bytes, bytes]", self._client.hgetall(keys.API_KEYS_USED))
        return {key_id.decode(): float(when) for key_id, when in found.items()}

    def rotate(self, which: str, overlap: float) -> tuple[ApiKey, str]:
        """Give a key a new secret; the one before works for ``overlap`` seconds more.

        Raises `KeyNotFound`, and `Invalid` for a key that has ended or a longer overlap than 30
        days.
        """
        if not 0 <= overlap <= MAX_OVERLAP_SECONDS:
            raise Invalid(f"an overlap has 0 to {MAX_OVERLAP_SECONDS} seconds")
        # By id from here on: a name may belong to another key once this one has ended.
        key_id = self.get(which).id
        (text, token), now = make_token(key_id), time.time()

        def renewed(key: ApiKey) -> ApiKey:
            if (state := key.state(now)) != "active":
                raise Invalid(f"the key {key.name!r} is {state}: create another one")
            return key.rotated(token, now, overlap)

        return self._change(key_id, renewed), text

    def revoke(self, which: str) -> ApiKey:
        """End a key; raises `KeyNotFound`."""
        now = time.time()

        def ended(key: ApiKey) -> ApiKey:
            return replace(key, revoked_at=key.revoked_at or now)

        return self._change(self.get(which).id, ended)

    def _change(self, key_id: str, change: Callable[[ApiKey], ApiKey]) -> ApiKey:
        """Replace a key by the result of a function."""
        changed: list[ApiKey] = []

        def swap(pipe: "redis.client.Pipeline") -> None:
            text = cast("bytes | None", pipe.hget(keys.API_KEYS, key_id))
            if text is None:
                raise KeyNotFound
            changed.append(change(decode_key(text)))
            pipe.multi()
            pipe.hset(keys.API_KEYS, key_id, encode_key(changed[-1]))

        self._update(swap)
        return changed[-1]

    def _update(self, update: Callable[["redis.client.Pipeline"], None]) -> None:
        """Read and write keys in one step: it runs again if another process wrote one meanwhile."""
        self._client.transaction(update, keys.API_KEYS)


def _read(client: redis.Redis) -> list[ApiKey]:
    found = cast("dict[bytes, bytes]", client.hgetall(keys.API_KEYS))
    read = (read_stored_key(key_id.decode(), text) for key_id, text in found.items())
    return sorted(filter(None, read), key=lambda key: key.created_at)


def _room_for(key: ApiKey, known: list[ApiKey]) -> list[str]:
    """Ids of keys that ended long ago; raises as `KeyStore.create`."""
    now = time.time()
    if any(one.name == key.name and one.state(now) == "active" for one in known):
        raise KeyConflict(f"there is a key named {key.name!r} already: rotate or revoke it")
    ended = [one.id for one in known if min(_ends(one)) < now - ENDED_KEY_SECONDS]
    if len(known) - len(ended) >= MAX_KEYS:
        raise Busy(f"there are {MAX_KEYS} keys, which is the maximum: revoke some")
    return ended


def with_token(wanted: ApiKey) -> tuple[ApiKey, str]:
    """A key with a new id and secret, and its token."""
    text, token = make_token()
    return replace(wanted, id=token.id, secrets=(Secret(token.hash),)), text


def _ends(key: ApiKey) -> list[float]:
    return [key.revoked_at or float("inf"), key.expires_at or float("inf")]
