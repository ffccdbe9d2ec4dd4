"""Round trips to Redis on an event loop, one at a time over one connection, without a thread."""

import asyncio
import math
from collections.abc import Sequence
from typing import Any

import hiredis
import redis
from redis.asyncio import connection as on_loop
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from tasks.ledger.server.refusals import is_refusal

_KINDS: dict[Any, Any] = {
    redis.UnixDomainSocketConnection: on_loop.UnixDomainSocketConnection,
    redis.SSLConnection: on_loop.SSLConnection,
    redis.Connection: on_loop.Connection,
}
"""Connections of threads → those of event loops; a subclass comes before its parent."""
_SHARED = "path", "host", "port", "db", "username", "password", "socket_connect_timeout"
"""Options that both kinds have; those of encryption as well."""
Command = tuple[Any, ...]


class Unsent(redis.ConnectionError):
    """The command was not sent, so Redis cannot have run it."""


class RoundTrips:
    """A connection to the server of a client, made where it is needed."""

    def __init__(self, client: redis.Redis) -> None:
        self._client = client
        self._connection: Any = None
        self._loop: asyncio.AbstractEventLoop | None = None

    async def make(self, commands: Sequence[Command]) -> list[Any]:
        """The answers of commands that are safe to repeat; an error of one is its answer.

        Raises `Unsent` if there is no connection, and `redis.TimeoutError`.
        """
        await self._connect()
        try:
            return await self._answers(commands)
        # The connection may have broken long ago, which only shows on use.
        except redis.ConnectionError:
            pass
        try:
            await self._connect()
        # Nothing of this try was sent, but the first try may have reached Redis.
        except Unsent as error:
            raise redis.ConnectionError(str(error)) from error
        return await self._answers(commands)

    @property
    def _timeout(self) -> float:
        return float(self._client.connection_pool.connection_kwargs["socket_timeout"])

    async def _connect(self) -> None:
        loop = asyncio.get_running_loop()
        if self._connection is not None and self._loop is loop:
            if await self._is_open():
                return
            await self._drop()
        connection = _connection_like(self._client)
        try:
            async with asyncio.timeout(self._timeout):
                await connection.connect()
        except (redis.RedisError, TimeoutError) as error:
            raise Unsent(str(error)) from error
        self._loop, self._connection = loop, connection

    async def _is_open(self) -> bool:
        try:
            # Between two round trips only the end of the connection can be read.
            return not await self._connection.can_read()
        except redis.ConnectionError:
            return False

    async def _answers(self, commands: Sequence[Command]) -> list[Any]:
        connection = self._connection
        try:
            async with asyncio.timeout(self._timeout):
                packed = b"".join(map(_packed, commands))
                await connection.send_packed_command(packed, check_health=False)
                answers = [await self._answer(command) for command in commands]
        except BaseException as error:  # a late answer would be taken for that of the next command
            await self._drop()
            if isinstance(error, TimeoutError):
                raise redis.TimeoutError("Redis did not answer in time") from error
            if isinstance(error, RuntimeError):  # uvloop raises this for a closed connection
                raise redis.ConnectionError(str(error)) from error
            raise
        if any(isinstance(answer, Exception) and is_refusal(answer) for answer in answers):
            await self._drop()  # the address may lead to a new primary by now
        return answers

    async def _answer(self, command: Command) -> Any:
        try:
            answer = await self._connection.read_response(
                timeout=math.inf, disconnect_on_error=False
            )
        except (redis.ResponseError, redis.BusyLoadingError) as error:
            return error
        readers: Any = self._client.response_callbacks
        read = readers.get(command[0])
        return answer if read is None else read(answer)

    async def _drop(self) -> None:
        connection, self._connection = self._connection, None
        await connection.disconnect(nowait=True)


def _packed(command: Command) -> bytes:
    # redis-py packs with Python on event loops, which takes as long as all else in a round trip.
    name, *arguments = command
    return bytes(hiredis.pack_command((*name.split(), *arguments)))


def _connection_like(client: redis.Redis) -> Any:
    pool = client.connection_pool
    kind = next(_KINDS[each] for each in _KINDS if issubclass(pool.connection_class, each))
    options = pool.connection_kwargs
    shared = {name: options[name] for name in options if name in _SHARED or name[:4] == "ssl_"}
    # Protocol 2: there are no publications here. No time limit of its own: a round trip has one.
    return kind(**shared, protocol=2, socket_timeout=None, retry=Retry(NoBackoff(), 0))
