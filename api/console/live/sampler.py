"""Reads the stack regularly in a thread of its own, and remembers what it saw last."""

import logging
import threading
import time
from collections.abc import Callable

import msgspec
import redis

from api.console.live.load_series import LoadSeries, Point
from api.console.live.snapshot import StackSnapshot

log = logging.getLogger(__name__)
WATCHED_SECONDS = 1.0
"""Seconds between two readings while a page is open."""
UNWATCHED_SECONDS = 10.0
"""Seconds between two readings while no page is open."""


class Picture(msgspec.Struct, frozen=True):
    """The state that the console shows: the last snapshot, and any outage of Redis."""

    snapshot: StackSnapshot | None
    """None if Redis has never answered this process."""
    load: Point | None
    """The load of the last seconds."""
    away_since: float | None
    """Unix seconds since which Redis does not answer; None while it does."""


PictureListener = Callable[[Picture], None]


class Sampler:
    """The latest picture, and the load series of an hour; any thread may read it."""

    def __init__(self, take: Callable[[], StackSnapshot]) -> None:
        """``take``: reads a snapshot; raises `redis.RedisError`."""
        self._take = take
        self.load_series = LoadSeries()
        self.picture = Picture(None, None, None)
        self._read_at = float("-inf")
        self._reading, self._starting = threading.Lock(), threading.Lock()
        self._wake = threading.Event()
        self._listeners: set[PictureListener] = set()
        self._has_started = False

    def start(self) -> None:
        """Start reading, unless it was started before: a console that is never opened is free."""
        with self._starting:  # held only for a moment, as the event loop calls this
            started, self._has_started = self._has_started, True
        if not started:
            threading.Thread(target=self._run, name="console-sampler", daemon=True).start()

    def listen(self, listener: PictureListener) -> None:
        """Pass each new picture to ``listener``, from now on once a second."""
        self._listeners.add(listener)
        self._wake.set()
        self.start()

    def unlisten(self, listener: PictureListener) -> None:
        """Undo `listen`."""
        self._listeners.discard(listener)

    def current(self) -> Picture:
        """The picture, read again if it is older than a second.

        While one thread reads, the others get the picture before, once there is one.
        """
        has_none = self._read_at == float("-inf")
        if self._reading.acquire(blocking=has_none):
            try:
                self._refresh()
            finally:
                self._reading.release()
        return self.picture

    def _refresh(self) -> None:
        if time.monotonic() - self._read_at >= WATCHED_SECONDS:
            try:
                self.picture = self._read()
            finally:
                # After the reading: a Redis that answers slowly is not asked without a pause.
                self._read_at = time.monotonic()

    def _read(self) -> Picture:
        try:
            snapshot = self._take()
        except redis.RedisError as error:
            return self._without_redis(error)
        return Picture(snapshot, self.load_series.add(snapshot), None)

    def _without_redis(self, error: redis.RedisError) -> Picture:
        before = self.picture
        if before.away_since is None:
            log.warning("the console shows its last picture, as Redis does not answer: %s", error)
        return msgspec.structs.replace(before, away_since=before.away_since or time.time())

    def _run(self) -> None:
        while True:
            try:
                self._tell(self.current())
            except Exception:
                log.exception("the state could not be read or told; the next second tries again")
            if self._listeners:
                time.sleep(WATCHED_SECONDS)
            else:
                self._wake.clear()
                self._wake.wait(UNWATCHED_SECONDS)

    def _tell(self, picture: Picture) -> None:
        for listener in tuple(self._listeners):
            listener(picture)
