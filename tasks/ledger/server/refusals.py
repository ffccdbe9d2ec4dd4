"""A Redis that answers and refuses, whatever it is asked; it may not be the right one any more."""

import re
from typing import Any

import redis

_TELLING = re.compile(
    r"(?:^|[\s:]-|caused error: )(READONLY|NOREPLICAS|MISCONF|MASTERDOWN|LOADING|BUSY) "
)
"""As the server itself says it, as Redis 6.2 quotes it where a script met it, and as redis-py does
where a pipeline did."""
_KINDS = (redis.ReadOnlyError, redis.exceptions.MasterDownError, redis.BusyLoadingError)
"""What redis-py makes of some of them, without that word."""


def is_refusal(error: Exception) -> bool:
    """Whether this says that the server as a whole refuses, not what it was asked."""
    if isinstance(error, _KINDS):
        return True
    return isinstance(error, redis.ResponseError) and bool(_TELLING.search(str(error)))


class _Wary:
    """Gives up a connection whose server refused: the address may lead to another one by now."""

    def read_response(self, *args: Any, **options: Any) -> Any:
        try:
            return super().read_response(*args, **options)  # type: ignore[misc]  # of a connection
        except redis.ResponseError as error:
            if is_refusal(error):
                self.mark_for_reconnect()  # type: ignore[attr-defined]  # the same
            raise


class _Plain(_Wary, redis.Connection):
    pass


class _Encrypted(_Wary, redis.SSLConnection):
    pass


class _Socket(_Wary, redis.UnixDomainSocketConnection):
    host, port = "localhost", 0
    """redis-py asks for both where it counts errors, though a socket has neither."""


_WARY = {
    redis.Connection: _Plain,
    redis.SSLConnection: _Encrypted,
    redis.UnixDomainSocketConnection: _Socket,
}


class Pool(redis.BlockingConnectionPool):
    """Keeps no connection over which its server refused: the next caller connects anew."""

    def __init__(self, *, connection_class: Any = redis.Connection, **options: Any) -> None:
        super().__init__(connection_class=_WARY[connection_class], **options)  # type: ignore[no-untyped-call]  # no type there
