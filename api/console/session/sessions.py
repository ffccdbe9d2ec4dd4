"""Sessions of the console: a one-time code is exchanged for a cookie, both kept as hashes."""

import hashlib
import hmac
import secrets
import time

import redis
from werkzeug.http import parse_cookie

from tasks.callers.caller import VIEWER, Caller
from tasks.ledger import keys
from tasks.ledger.predictions.pipeline import Pipeline
from telemetry.errors import Forbidden

COOKIE = "predictq_console"
CODE_SECONDS = 3600
"""Seconds for which a one-time code can be exchanged."""
SESSION_IDLE_SECONDS = 12 * 3600
"""Seconds without a request after which a session ends."""
MAX_SESSION_SECONDS = 7 * 24 * 3600
"""Seconds after which a session ends in any case."""


class Sessions:
    """Sessions in Redis, so that all processes of the API know them.

    The names of the keys are hashes made with the local key: what Redis holds is not enough to sign
    in, and a new local key ends all sessions.
    """

    def __init__(self, client: redis.Redis, pipeline: Pipeline, local_key: bytes) -> None:
        self._client, self._pipeline = client, pipeline
        self._local_key = local_key

    def issue_code(self) -> str:
        """A new one-time code; raises `Forbidden` if this server has no local key."""
        if not self._local_key:
            raise Forbidden("the server cannot read its local key, so it has no sessions")
        code = secrets.token_urlsafe(24)
        self._client.set(keys.CONSOLE_CODES + self._hash(code), b"1", ex=CODE_SECONDS)
        return code

    def exchange(self, code: str) -> str:
        """Exchange a one-time code for a new session, and return the value of its cookie.

        Raises `Forbidden` for a code that is unknown, used or too old.
        """
        if not self._client.delete(keys.CONSOLE_CODES + self._hash(code)):
            raise Forbidden("this code is unknown, was used before, or is older than an hour")
        cookie = secrets.token_urlsafe(32)
        end = str(time.time() + MAX_SESSION_SECONDS)
        self._client.set(keys.CONSOLE_SESSIONS + self._hash(cookie), end, ex=SESSION_IDLE_SECONDS)
        return cookie

    async def is_valid(self, cookie: str | None) -> bool:
        """Whether the cookie is that of a session, which is prolonged by this."""
        if not cookie or not self._local_key:
            return False
        key = keys.CONSOLE_SESSIONS + self._hash(cookie)
        end = await self._pipeline.ask("GETEX", key, "EX", SESSION_IDLE_SECONDS)
        return end is not None and time.time() < float(end)

    async def caller(self, cookies: bytes) -> Caller | None:
        """The caller that a `Cookie` header stands for; None without a session, or Redis."""
        found = parse_cookie(cookies.decode("latin-1")).get(COOKIE)
        try:
            return VIEWER if await self.is_valid(found) else None
        except redis.RedisError:
            return None

    def end(self, cookie: str) -> None:
        """End a session; does nothing if there is none."""
        self._client.delete(keys.CONSOLE_SESSIONS + self._hash(cookie))

    def _hash(self, secret: str) -> str:
        return hmac.new(self._local_key, secret.encode(), hashlib.sha256).hexdigest()
