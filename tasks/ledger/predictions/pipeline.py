"""Shared round trips to Redis: commands that arrive during one round trip go together in the next.

The event loop uses it so that each request needs neither a thread nor a connection.
"""

import asyncio
from typing import Any

import redis
from redis.commands.core import Script
from redis.exceptions import NoScriptError

from tasks.ledger.predictions.round_trips import Command, RoundTrips, Unsent

_Call = tuple[Command, "asyncio.Future[Any]"]


class Pipeline:
    """One connection for all requests of a process that are on its event loop.

    A lone command is sent at once. Threads use the connections of the client.
    """

    def __init__(self, client: redis.Redis) -> None:
        self._client = client
        self._trips = RoundTrips(client)
        self._waiting: list[_Call] = []
        self._running: asyncio.Task[None] | None = None

    async def ask(self, *command: Any) -> Any:
        """Answer of a command that is safe to repeat; raises `redis.RedisError`."""
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[Any] = loop.create_future()
        self._waiting.append((command, answer))
        if self._running is None or self._running.done():
            # Let other tasks of this turn of the loop add their commands to the same round trip.
            self._running = loop.create_task(self._run())
        return await answer

    def ask_now(self, *command: Any) -> Any:
        """Answer of a command, by a blocking call in a round trip of its own, for threads."""
        (answer,) = self._trip([command])
        if isinstance(answer, Exception):
            raise answer
        return answer

    def run(self, script: Script, keys: list[str], args: list[Any]) -> Any:
        """Answer of a script, as a blocking call; loads the script where Redis does not know it."""
        command = _call(script, keys, args)
        try:
            return self.ask_now(*command)
        except NoScriptError:
            # Redis forgets scripts when it restarts. It has run nothing, so this may be repeated.
            self.ask_now("SCRIPT LOAD", script.script)
            return self.ask_now(*command)

    async def run_async(self, script: Script, keys: list[str], args: list[Any]) -> Any:
        """`run` on an event loop, in a shared round trip."""
        command = _call(script, keys, args)
        try:
            return await self.ask(*command)
        except NoScriptError:
            await self.ask("SCRIPT LOAD", script.script)
            return await self.ask(*command)

    async def _run(self) -> None:
        while self._waiting:
            calls, self._waiting = self._waiting, []
            try:
                answers = await self._trips.make([command for command, _ in calls])
            except Exception as error:  # noqa: BLE001 - callers wait for an answer, whatever failed
                # Retrying would fail in the same way, only later.
                late, self._waiting = self._waiting, []
                answers = [error] * len(calls) + [Unsent(str(error))] * len(late)
                calls += late
            for (_, future), answer in zip(calls, answers, strict=True):
                _tell(future, answer)

    def _trip(self, commands: list[tuple[Any, ...]]) -> list[Any]:
        # Not a transaction: commands of different callers need not succeed or fail together.
        with self._client.pipeline(transaction=False) as pipe:
            pipe.connection = self._connection()
            for command in commands:
                pipe.execute_command(*command)  # type: ignore[no-untyped-call]  # no type there
            # An error of one command is the answer of its caller alone.
            return pipe.execute(raise_on_error=False)

    def _connection(self) -> Any:
        # Taken here, not by the pipeline, to tell failures before anything was sent.
        try:
            return self._client.connection_pool.get_connection()
        except redis.RedisError as error:
            raise Unsent(str(error)) from error


def _call(script: Script, keys: list[str], args: list[Any]) -> tuple[Any, ...]:
    return "EVALSHA", script.sha, len(keys), *keys, *args


def _tell(future: "asyncio.Future[Any]", answer: Any) -> None:
    if future.done():  # the caller that waited for this answer was cancelled
        return
    if isinstance(answer, Exception):
        future.set_exception(answer)
    else:
        future.set_result(answer)
