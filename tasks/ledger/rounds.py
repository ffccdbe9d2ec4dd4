"""Round trips that requests on an event loop share: who comes during one goes with the next."""

import asyncio
import threading
from queue import SimpleQueue
from typing import Any

import redis

_Call = tuple[tuple[Any, ...], "asyncio.Future[Any]"]


class Rounds:
    """One connection for all requests of a process, served by a thread of its own.

    A lone command goes at once. The loop and the thread meet once for each round, not once for
    each command; that is what makes them cheap.
    """

    def __init__(self, client: redis.Redis) -> None:
        self._client = client
        self._waiting: SimpleQueue[_Call] = SimpleQueue()
        self._starting = threading.Lock()
        self._thread: threading.Thread | None = None

    async def ask(self, *command: Any) -> Any:
        """The answer to a command that may be repeated; raises `redis.RedisError`."""
        if self._thread is None:
            self._start()
        answer: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._waiting.put((command, answer))
        return await answer

    def _start(self) -> None:
        with self._starting:
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="rounds", daemon=True)
                self._thread.start()

    def _run(self) -> None:
        while True:
            calls = [self._waiting.get(), *self._gathered()]
            try:
                answers = self._trip([command for command, _ in calls])
            except Exception as error:  # noqa: BLE001 - whatever it was, those who wait must know
                calls += self._gathered()  # they would only wait once more for the same
                answers = [error] * len(calls)
            _tell([answer for _, answer in calls], answers)

    def _gathered(self) -> list[_Call]:
        return [self._waiting.get() for _ in range(self._waiting.qsize())]  # nobody else takes

    def _trip(self, commands: list[tuple[Any, ...]]) -> list[Any]:
        with self._client.pipeline(transaction=False) as pipe:
            for command in commands:
                pipe.execute_command(*command)  # type: ignore[no-untyped-call]  # no type there
            return pipe.execute(raise_on_error=False)


def _tell(futures: "list[asyncio.Future[Any]]", answers: list[Any]) -> None:
    """Wake all who asked, in one step of their loop."""

    def settle() -> None:
        for future, answer in zip(futures, answers, strict=True):
            if future.done():  # whoever asked has gone
                continue
            if isinstance(answer, Exception):
                future.set_exception(answer)
            else:
                future.set_result(answer)

    futures[0].get_loop().call_soon_threadsafe(settle)
