"""Directives: what an operator tells all workers to do once, and how far each worker is."""

import logging
from typing import Any, cast

import msgspec
import redis

from tasks.ledger import keys

log = logging.getLogger(__name__)
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
    """The progress of a worker with its directives, as its heartbeat reports it."""

    heard: str
    """The id of the newest directive that it has read."""
    pending: list[str]
    """Ids of those that it has not carried out."""
    failed: dict[str, str]
    """Ids of those that it cannot carry out → why."""

    missed: tuple[str, str] = (NONE, NONE)
    """After the first id and before the second one, directives were dropped before it read them."""

    def is_done(self, id: str) -> bool:
        """Whether the worker has carried out a directive, or failed to."""
        return _order(self.heard) >= _order(id) and id not in self.pending

    def fault(self, id: str) -> str | None:
        """Why the worker cannot carry out a directive; None if it can."""
        if _order(self.missed[0]) < _order(id) < _order(self.missed[1]):
            return "it was dropped before the worker read it; ask again"
        return self.failed.get(id)


class NewDirectives(msgspec.Struct, frozen=True):
    """The directives after a given one."""

    directives: list[Directive]
    """Oldest first, without entries that cannot be read."""
    newest: str
    """The id of the last entry, readable or not."""
    missed: str | None
    """The id before which some may have been dropped; None if none was."""


class Directives:
    """Gives directives, and reads them."""

    def __init__(self, client: redis.Redis) -> None:
        self._client = client

    def give(self, version: str, *, loads: bool) -> str:
        """Tell all workers to load or unload a version; returns the directive's id."""
        # In one transaction, so that the stream and the set agree on what was said last.
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

    def since(self, id: str) -> NewDirectives:
        """The directives after this one."""
        # In one transaction: between the two calls, more could be dropped from the start.
        with self._client.pipeline(transaction=True) as pipe:
            pipe.xrange(keys.DIRECTIVES, count=1)
            pipe.xrange(keys.DIRECTIVES, min=f"({id}")
            first, found = pipe.execute()
        read = [_directive(each.decode(), told) for each, told in found]
        newest = found[-1][0].decode() if found else id
        # If the one that was read last is there, nothing after it was dropped.
        oldest = first[0][0].decode() if first else id
        missed = oldest if _order(oldest) > _order(id) != _order(NONE) else None
        return NewDirectives([each for each in read if each], newest, missed)

    def unloaded(self) -> set[str]:
        """Every model:version that was unloaded last; a prediction may have loaded it since."""
        found = cast("set[bytes]", self._client.smembers(keys.UNLOADED))
        return {version.decode() for version in found}


def report_of(worker: dict[str, Any]) -> DirectiveReport:
    """The report in a worker's description; empty if the description has none."""
    given = worker.get("directives")
    return msgspec.convert(given, DirectiveReport) if given else DirectiveReport(NONE, [], {})


def _directive(id: str, told: dict[bytes, bytes]) -> Directive | None:
    """The directive of an entry; None for a foreign entry, which must not stop a worker."""
    try:
        version, act = told[b"version"].decode(), told[b"act"].decode()
    except (KeyError, UnicodeDecodeError):
        log.warning("a directive cannot be read: %s", str(told)[:200])
        return None
    return Directive(id, version, act == LOAD)


def _order(id: str) -> tuple[int, ...]:
    """An id as numbers: its milliseconds, and its number within the millisecond."""
    # As text, "9-0" would come after "10-0".
    return tuple(map(int, id.split("-")))
