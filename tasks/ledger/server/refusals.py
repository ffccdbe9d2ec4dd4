"""Refusals of the server as a whole, such as READONLY: the address may lead elsewhere by now."""

import re
from typing import Any

import redis

_TELLING = re.compile(
    r"(?:^|[\s:]-|caused error: )(READONLY|NOREPLICAS|MISCONF|MASTERDOWN|LOADING|BUSY) "
)
"""Matches the error as the server words it, as Redis 6.2 quotes it from a script, and as redis-py
does from a pipeline."""
_KINDS = (redis.ReadOnlyError, redis.exceptions.MasterDownError, redis.BusyLoadingError)
"""redis-py's own classes for some of these errors, whose text lacks the word."""


def is_refusal(error: Exception) -> bool:
    """Whether the server as a whole refuses, regardless of the command."""
    if isinstance(error, _KINDS):
        return True
    return isinstance(error, redis.ResponseError) and bool(_TELLING.search(str(error)))


class _Wary:
    """Reconnects after a refusal: the address may lead to a new primary by now."""

    def read_response(self, *args: Any, **options: Any) -> Any:
        try:
            return super().read_response(*args, **options)  # type: ignore[misc]  # of a connection
        except redis.ResponseError as error:
            if is_refusal(error):
                self.mark_for_reconnect()  # type: ignore[attr-defined]  # of a connection
            raise


class _Plain(_Wary, redis.Connection):
    pass


class _Encrypted(_Wary, redis.SSLConnection):
    pass


class _Socket(_Wary, redis.UnixDomainSocketConnection):
    host, port = "localhost", 0
    """redis-py reads both attributes when it counts errors, but a Unix socket has neither."""


_WARY = {
    redis.Connection: _Plain,
    redis.SSLConnection: _Encrypted,
    redis.UnixDomainSocketConnection: _Socket,
}


class Pool(redis.BlockingConnectionPool):
    """A pool that reconnects where a server refused, instead of using the connection again."""

    def __init__(self, *, connection_class: Any = redis.Connection, **options: Any) -> None:
        super().__init__(connection_class=_WARY[connection_class], **options)  # type: ignore[no-untyped-call]  # no type there
