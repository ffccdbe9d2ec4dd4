"""The cache of a process for the registry, valid until the registry's stamp changes."""

import time

import msgspec

from registry.deployments.deployment import Deployment
from registry.names import checked_name, did_you_mean
from registry.storage.directory import Directory, Model, Stamp
from registry.versions import Resolved, listing
from telemetry.errors import ModelNotFound, PredictqError

NEVER_READ: Stamp = (-1, -1)
"""A stamp that no registry has."""


class Cached(msgspec.Struct, frozen=True):
    """The files as read under one stamp."""

    stamp: Stamp
    models: dict[str, Model] = {}
    resolved: dict[str, Resolved] = {}
    """Version by reference."""
    names: list[str] = []
    deployments: list[list[Deployment]] = []
    """Empty until they are read, then one list of all."""


class RegistryCache:
    """Reads models, and keeps them until something in the registry changes."""

    def __init__(self, directory: Directory, recheck_seconds: float) -> None:
        """``recheck_seconds``: seconds between two checks for changes by `recent`."""
        self._directory, self._recheck_seconds = directory, recheck_seconds
        self._cached, self._looked = Cached(NEVER_READ), 0.0

    @property
    def stamp(self) -> Stamp:
        """The stamp at the last check."""
        return self._cached.stamp

    def clear(self) -> None:
        """Read everything again, even if the stamp is unchanged."""
        self._cached = Cached(NEVER_READ)

    def recent(self) -> Cached:
        """The cached files, unless a check for changes is due."""
        if time.monotonic() - self._looked > self._recheck_seconds:
            return self.fresh()
        return self._cached

    def fresh(self) -> Cached:
        """The cached files, after a check for changes."""
        # The stamp comes before the files: a write while they are read changes it once more.
        stamp, self._looked = self._directory.stamp(), time.monotonic()
        cached = self._cached
        if cached.stamp != stamp:
            cached = self._cached = Cached(stamp)
        return cached

    def model(self, name: str) -> Model:
        """A model; raises as `read` does."""
        cached = self.fresh()
        model = cached.models.get(name)
        if model is None:
            model = cached.models[name] = self.read(name)
        return model

    def read(self, name: str) -> Model:
        """A model as its files are now; raises `ModelNotFound` and as `Directory.read` does."""
        model = self._directory.read(checked_name(name))
        if not model.versions:
            names = self.names()
            known = did_you_mean(name, names) or listing("models", names)
            raise ModelNotFound(f"there is no model {name!r}; {known}")
        return model

    def names(self) -> list[str]:
        """Names of the models. They are cached, so that requests for unknown models are cheap."""
        cached = self.fresh()
        if not cached.names:
            cached.names[:] = self._directory.names()
        return cached.names

    def deployments(self) -> list[Deployment]:
        """All deployments, sorted; raises as `Directory.deployments` does."""
        cached = self.fresh()
        if not cached.deployments:
            cached.deployments.append(self._directory.deployments())
        return cached.deployments[0]

    def is_readable(self, name: str) -> bool:
        """Whether a model exists and its files can be read."""
        try:
            self.model(name)
        except PredictqError:
            return False
        return True
