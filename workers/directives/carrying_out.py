"""Carries out directives with the pools of this worker, and reports which are done."""

import time
from collections import deque
from typing import Any

import msgspec

from tasks.ledger.queue.directives import NONE, Directive, DirectiveReport, Directives
from tasks.time_limits import MAX_RUN_SECONDS
from workers.pool.load_retry import LoadRetry
from workers.pool.pools import Pools

MAX_FAILED = 32
"""Failed directives that a worker reports; older ones have been read by their senders long ago."""


class DirectiveRunner:
    """The directives of one worker. Each begins at the heartbeat that reads it."""

    def __init__(self, directives: Directives, pools: Pools, load_retry: LoadRetry) -> None:
        self._directives, self._pools, self._load_retry = directives, pools, load_retry
        self._heard: str | None = None
        """The id of the newest directive that was read; None until the first look."""
        self._missed = (NONE, NONE)
        """Between which ids directives were dropped before this worker read them, the last time."""
        self._pending: dict[str, _Pending] = {}
        self._failed: deque[tuple[str, str]] = deque(maxlen=MAX_FAILED)

    def advance(self) -> dict[str, Any]:
        """Read new directives, continue all, and report; raises `redis.RedisError`."""
        if self._heard is None:  # directives from before this worker's start do not concern it
            self._heard = self._directives.newest()
        news = self._directives.since(self._heard)
        if news.missed is not None:
            self._missed = (self._heard, news.missed)
        for directive in news.directives:
            self._begin(directive)
        self._heard = news.newest
        self._continue()
        report = DirectiveReport(self._heard, [*self._pending], dict(self._failed), self._missed)
        return {"directives": msgspec.to_builtins(report)}

    def _continue(self) -> None:
        """Continue all directives, but of each version only the oldest."""
        waiting: set[str] = set()
        for each in [*self._pending.values()]:
            version = each.directive.version
            if version not in waiting and self._is_over(each):
                del self._pending[each.directive.id]
            else:
                waiting.add(version)

    def _begin(self, directive: Directive) -> None:
        if not self._pools.serves(directive.version):
            return
        if directive.loads:  # an operator may have fixed the cause of the failure
            self._load_retry.forgive(directive.version)
        self._pending[directive.id] = _Pending(directive, time.monotonic() + MAX_RUN_SECONDS)

    def _is_over(self, pending: "_Pending") -> bool:
        directive, fault = pending.directive, None
        if directive.loads and self._load_retry.has(directive.version):
            fault = self._load_retry.reason(directive.version)
        elif time.monotonic() > pending.deadline:
            fault = f"it took more than {MAX_RUN_SECONDS} s"
        elif not self._is_done(directive):
            return False
        if fault is not None:
            self._failed.append((directive.id, fault))
        return True

    def _is_done(self, directive: Directive) -> bool:
        if directive.loads:
            return self._pools.hold(directive.version)
        return self._pools.unload(directive.version)


class _Pending(msgspec.Struct, frozen=True):
    directive: Directive
    deadline: float
    """Time in `time.monotonic` seconds."""
