"""Which versions can be asked now, and why others cannot."""

from typing import NamedTuple

from api.models.known_versions import KnownVersions
from registry.manifest import Manifest
from registry.store import Registry
from registry.versions import check_ready
from tasks.ledger.queue.directives import Directives
from tasks.ledger.queue.workers import Workers
from telemetry.errors import VersionNotReady, VersionPaused


class Now(NamedTuple):
    """The state of versions in Redis at one moment."""

    paused: frozenset[str]
    unloaded: frozenset[str]
    """References of versions that were unloaded, and that no worker has loaded since."""


class Availability:
    """Looks at the state of versions."""

    def __init__(
        self,
        registry: Registry,
        existing: KnownVersions,
        directives: Directives,
        workers: Workers,
    ) -> None:
        self._registry, self._existing = registry, existing
        self._directives, self._workers = directives, workers

    def now(self) -> Now:
        """The present state in Redis; raises `redis.RedisError`."""
        paused = frozenset(each.model for each in self._existing.paused())
        unloaded = self._directives.unloaded()
        held = (each.get("loaded", ()) for each in self._workers.alive()) if unloaded else ()
        return Now(paused, frozenset(unloaded.difference(*held)))

    def check(self, manifest: Manifest, now: Now) -> None:
        """Raise `VersionNotReady` or `VersionPaused` for a version that cannot be asked.

        One that was unloaded counts as not ready, although the next prediction loads it.
        """
        what = manifest.reference
        check_ready(manifest.name, manifest.version, self._registry.readiness(manifest))
        if what in now.paused:
            raise VersionPaused(f"{what} is paused")
        if what in now.unloaded:
            raise VersionNotReady(f"{what} is unloaded; the next prediction loads it again")
