"""Directives: what an operator tells all workers to do once, and how far each worker is."""

from typing import Any, cast

import msgspec
import redis

from tasks.ledger import keys

MAX_DIRECTIVES = 1000
"""About how many are kept; workers look every two seconds."""
LOAD, UNLOAD = "load", "unload"
NONE = "0-0"
"""The id before all others."""


class Directive(msgspec.Struct, frozen=True):
    """One directive."""

    id: str
    """Id by Redis's clock; a later one is greater, see `DirectiveReport.is_done`."""
    version: str
    """``model:version``."""
    loads: bool
    """Whether the version is to be loaded, or unloaded."""


class DirectiveReport(msgspec.Struct, frozen=True):
    """How far a worker is with its directives, in its heartbeat."""

    heard: str
    """The id of the newest directive that it has heard of."""
    pending: list[str]
    """Ids of those that it has not carried out."""
    failed: dict[str, str]
    """Ids of those that it cannot carry out → why."""

    def is_done(self, id: str) -> bool:
        """Whether the worker has carried out a directive, or failed to."""
        return _order(self.heard) >= _order(id) and id not in self.pending


class Directives:
    """Gives directives, and reads them."""

    def __init__(self, client: redis.Redis) -> None:
        self._client = client

    def give(self, version: str, *, loads: bool) -> str:
        """Tell all workers to load or unload a version; returns the directive's id."""
        with self._client.pipeline(transaction=True) as pipe:
            told: Any = {"act": LOAD if loads else UNLOAD, "version": version}
            pipe.xadd(keys.DIRECTIVES, told, maxlen=MAX_DIRECTIVES)
            (pipe.srem if loads else pipe.sadd)(keys.UNLOADED, version)
            given: bytes = pipe.execute()[0]
        return given.decode()

    def newest(self) -> str:
        """The id of the newest directive."""
        found = cast("list[Any]", self._client.xrevrange(keys.DIRECTIVES, count=1))
        return found[0][0].decode() if found else NONE

    def since(self, id: str) -> list[Directive]:
        """The directives after this one, oldest first."""
        found = cast("list[Any]", self._client.xrange(keys.DIRECTIVES, min=f"({id}"))
        return [
            Directive(each.decode(), told[b"version"].decode(), told[b"act"] == LOAD.encode())
            for each, told in found
        ]

    def unloaded(self) -> set[str]:
        """Every model:version that was unloaded last; a prediction may have loaded it since."""
        found = cast("set[bytes]", self._client.smembers(keys.UNLOADED))
        return {version.decode() for version in found}


def report_of(worker: dict[str, Any]) -> DirectiveReport:
    """The report in a worker's description; one without directives has heard of none."""
    given = worker.get("directives")
    return msgspec.convert(given, DirectiveReport) if given else DirectiveReport(NONE, [], {})


def _order(id: str) -> tuple[int, ...]:
    """What ids are compared by: milliseconds, and a number among those of one."""
    return tuple(map(int, id.split("-")))
