"""All routes of the registry, built over what they share."""

from collections.abc import Iterator

from flask import Blueprint

from api.http.rights import Rights
from api.models.alias_routes import AliasViews
from api.models.artifact_routes import ArtifactViews
from api.models.changing import Changing
from api.models.history_routes import HistoryViews
from api.models.removal_routes import RemovalViews
from api.models.routes import ModelViews
from registry.store import Registry
from tasks.ledger.ghosts import Ghosts
from tasks.ledger.ledger import Ledger
from tasks.settings import Settings


def registry_blueprints(
    registry: Registry, ledger: Ledger, settings: Settings, rights: Rights
) -> Iterator[Blueprint]:
    """Yield the blueprints of the registry's routes."""
    changing, ghosts = Changing(rights), Ghosts(ledger.client, settings)
    yield ModelViews(registry).blueprint()
    yield HistoryViews(registry).blueprint()
    yield AliasViews(registry, changing).blueprint()
    yield RemovalViews(registry, ghosts, changing).blueprint()
    # As many threads as batch jobs have for their files: a slow reader holds one.
    yield ArtifactViews(registry, rights, settings.threads // 8).blueprint()
