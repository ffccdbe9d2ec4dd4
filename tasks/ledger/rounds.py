"""Shares round trips: what is asked while one is under way goes out together in the next."""

import threading
from typing import Any

import redis

_OPEN = object()


class Unsent(redis.ConnectionError):
    """Nothing of it was sent, so Redis cannot have done it."""


class _Call:
    """One command of one thread, and its answer once there is one."""

    __slots__ = ("answer", "command", "turn")

    def __init__(self, command: tuple[Any, ...]) -> None:
        self.command = command
        self.answer: Any = _OPEN
        self.turn = threading.Lock()  # a bare lock is the cheapest thing to sleep on
        self.turn.acquire()


class Rounds:
    """One connection's worth of round trips for many threads, and no wait for a lone command.

    A thread that finds none under way starts at once; those that come meanwhile sleep until it is
    over, when the first of them leads the next with all that has gathered.
    """

    def __init__(self, client: redis.Redis) -> None:
        self._client = client
        self._gathered: list[_Call] = []
        self._under_way = False
        self._lock = threading.Lock()

    def ask(self, *command: Any) -> Any:
        """The answer to a command that may be repeated; raises `redis.RedisError`."""
        call = _Call(command)
        with self._lock:
            self._gathered.append(call)
            leads, self._under_way = not self._under_way, True
        if not leads:
            call.turn.acquire()
        if call.answer is _OPEN:
            self._lead()
        if isinstance(call.answer, Exception):
            raise call.answer
        return call.answer

    def _lead(self) -> None:
        with self._lock:
            calls, self._gathered = self._gathered, []
        try:
            answers = self._trip(calls)
        except Exception as error:  # noqa: BLE001 - whatever it was, those who sleep must wake
            with self._lock:  # who came meanwhile would only wait once more for the same
                late, self._gathered = self._gathered, []
            answers = [error] * len(calls) + [Unsent(str(error))] * len(late)
            calls += late
        with self._lock:
            heir = self._gathered[0] if self._gathered else None
            self._under_way = heir is not None
        for call, answer in zip(calls, answers, strict=True):
            call.answer = answer
            call.turn.release()
        if heir:
            heir.turn.release()

    def alone(self, *command: Any) -> Any:
        """The same in a round trip of its own."""
        (answer,) = self._trip([_Call(command)])
        if isinstance(answer, Exception):
            raise answer
        return answer

    def _trip(self, calls: list[_Call]) -> list[Any]:
        with self._client.pipeline(transaction=False) as pipe:
            pipe.connection = self._connection()
            for call in calls:
                pipe.execute_command(*call.command)  # type: ignore[no-untyped-call]  # no type there
            return pipe.execute(raise_on_error=False)

    def _connection(self) -> Any:
        # Asked for here, as the pipeline would, to tell what fails before anything is sent.
        try:
            return self._client.connection_pool.get_connection()
        except redis.RedisError as error:
            raise Unsent(str(error)) from error
