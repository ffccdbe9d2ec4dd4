"""Shared round trips to Redis: commands that arrive during one round trip go together in the next.

The event loop uses it so that each request needs neither a thread nor a connection.
"""

import asyncio
import threading
from queue import SimpleQueue
from typing import Any

import redis
from redis.commands.core import Script
from redis.exceptions import NoScriptError


class Unsent(redis.ConnectionError):
    """The command was not sent, so Redis cannot have run it."""


_Call = tuple[tuple[Any, ...], "asyncio.Future[Any]"]


class Pipeline:
    """One connection for all requests of a process, served by a thread of its own.

    A lone command is sent at once. The loop and the thread synchronise once per round trip, not
    once per command, which keeps them cheap.
    """

    def __init__(self, client: redis.Redis) -> None:
        self._client = client
        self._waiting: SimpleQueue[_Call] = SimpleQueue()
        self._starting = threading.Lock()
        self._thread: threading.Thread | None = None

    async def ask(self, *command: Any) -> Any:
        """Answer of a command that is safe to repeat; raises `redis.RedisError`."""
        if self._thread is None:  # not in `__init__`: workers only call `run`, and need no thread
            self._start()
        answer: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._waiting.put((command, answer))
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

    def _start(self) -> None:
        with self._starting:
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="pipeline", daemon=True)
                self._thread.start()

    def _run(self) -> None:
        while True:
            calls = [self._waiting.get(), *self._gathered()]
            try:
                answers = self._trip([command for command, _ in calls])
            except Exception as error:  # noqa: BLE001 - callers wait for an answer, whatever failed
                late = self._gathered()  # another try would only fail later
                answers = [error] * len(calls) + [Unsent(str(error))] * len(late)
                calls += late
            _tell([answer for _, answer in calls], answers)

    def _gathered(self) -> list[_Call]:
        return [self._waiting.get() for _ in range(self._waiting.qsize())]  # the only consumer

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


def _tell(futures: "list[asyncio.Future[Any]]", answers: list[Any]) -> None:
    """Answer all callers in one step of their event loop."""

    def settle() -> None:
        for future, answer in zip(futures, answers, strict=True):
            if future.done():  # its caller was cancelled
                continue
            if isinstance(answer, Exception):
                future.set_exception(answer)
            else:
                future.set_result(answer)

    # All futures of a process belong to its one event loop.
    futures[0].get_loop().call_soon_threadsafe(settle)
