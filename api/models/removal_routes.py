"""Versions and models are removed over HTTP, with what Redis knows of them."""

import logging
from typing import Annotated

import msgspec
import redis
from flask import Blueprint, Response, request

from api.http.operator_bodies import read_body, read_query
from api.http.responses import json_response
from api.models.changing import ChangeRequest, changing, version_number
from registry.changes import Changes
from registry.history import Cause
from registry.names import checked_name
from registry.registrations.registrations import Registrations
from registry.removing.removing import Removed
from registry.store import Registry
from tasks.ledger.ghosts import Ghosts
from telemetry.errors import NotFound

log = logging.getLogger(__name__)


class VersionRemoval(ChangeRequest, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The query of `DELETE /models/<name>` and of a version."""

    force: bool = False
    """Whether aliases that point there are removed, too."""


class Keeping(ChangeRequest, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The body of `POST /models/<name>/keep-latest`."""

    count: Annotated[int, msgspec.Meta(ge=1)]
    """How many of the newest versions are kept, beside those that an alias points to."""


class RemovedVersions(msgspec.Struct, frozen=True, kw_only=True):
    """The versions and aliases that a request removed."""

    model: str
    versions: tuple[int, ...]
    aliases: tuple[str, ...]
    """Aliases that pointed to a removed version."""
    dead_letters: int
    """Dead letters of these versions that were deleted."""
    parked: int
    """Parked predictions of these versions, which fail now."""


class RemovalViews:
    """The views."""

    def __init__(self, registry: Registry, ghosts: Ghosts) -> None:
        self._changes, self._ghosts = Changes(registry), ghosts
        self._registrations = Registrations(registry)

    def blueprint(self) -> Blueprint:
        """The routes."""
        routes = Blueprint("removal", __name__)
        routes.delete("/models/<model:name>")(self.remove_model)
        routes.delete("/models/<name>/versions/<version>")(self.remove_version)
        routes.post("/models/<name>/keep-latest")(self.keep_latest)
        return routes

    def remove_model(self, name: str) -> Response:
        """Remove all versions of a model."""
        return self._remove(name, None)

    def remove_version(self, name: str, version: str) -> Response:
        """Remove a version, or withdraw one that is being checked.

        Predictions that wait for it fail with `version_not_found`.
        """
        return self._remove(name, version)

    def keep_latest(self, name: str) -> Response:
        """Remove all versions but the newest ones and those that an alias points to."""
        with changing():
            change = read_body(request, Keeping)
            return self.answer(name, self._changes.keep_latest(name, change.count, change.cause))

    def _remove(self, name: str, version: str | None) -> Response:
        with changing():
            change = read_query(request, VersionRemoval)
            number = None if version is None else version_number(version)
            return self.answer(
                name,
                self.remove(checked_name(name), number, force=change.force, cause=change.cause),
            )

    def remove(self, name: str, number: int | None, *, force: bool, cause: Cause) -> Removed:
        """Remove a version, or all of them, and withdraw those that are being checked."""
        withdrawn = self._withdrawn(name, number, cause.by)
        try:
            removed = self._changes.remove(name, number, force=force, cause=cause)
        except NotFound:
            if not withdrawn:
                raise
            return Removed(tuple(withdrawn), ())
        numbers = sorted({*removed.versions, *withdrawn})
        return msgspec.structs.replace(removed, versions=tuple(numbers))

    def _withdrawn(self, name: str, number: int | None, by: str) -> list[int]:
        if number is None:
            return self._registrations.withdraw_all(name, by)
        return [number] if self._registrations.withdraw(name, number, by) else []

    def answer(self, name: str, removed: Removed) -> Response:
        """Remove what Redis knows of removed versions, and say what is gone."""
        letters = parked = 0
        for number in removed.versions:
            try:
                ghost = self._ghosts.remove(f"{name}:{number}")
            except redis.RedisError as error:
                # The next start of the stack removes it.
                log.warning("Redis keeps data of %s:%s for now: %s", name, number, error)
            else:
                letters, parked = letters + ghost.letters, parked + ghost.parked
        return json_response(
            RemovedVersions(
                model=name,
                versions=removed.versions,
                aliases=removed.aliases,
                dead_letters=letters,
                parked=parked,
            )
        )
