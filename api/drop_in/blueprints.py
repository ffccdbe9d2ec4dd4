"""All routes of the registry and of the drop-in, built over what they share."""

from collections.abc import Iterator

from flask import Blueprint

from api.deployments.observing import Observing
from api.deployments.routes import DeploymentRoutes
from api.drift.drift_routes import DriftViews
from api.drift.looking import DriftLook
from api.drop_in.asking import Asking
from api.drop_in.deployments import DeploymentViews
from api.drop_in.predicting import PredictingViews
from api.limits.send_budget import SendBudget
from api.models.alias_routes import AliasViews
from api.models.artifact_routes import ArtifactViews
from api.models.history_routes import HistoryViews
from api.models.known_versions import KnownVersions
from api.models.registration_routes import RegistrationViews
from api.models.removal_routes import RemovalViews
from api.models.routes import ModelViews
from api.models.status_routes import StatusViews
from api.operations.cache_routes import CacheViews
from api.rollouts.comparison_routes import ComparisonViews
from api.rollouts.rollout_routes import RolloutViews
from api.shadows.looking import ShadowLook
from api.shadows.shadow_routes import ShadowViews
from registry.store import Registry
from tasks.drift.counts import DriftCounts
from tasks.ledger.ghosts import Ghosts
from tasks.ledger.ledger import Ledger
from tasks.ledger.queue.workers import Workers
from tasks.settings import Settings
from tasks.shadows.shadows import Shadows


def registry_blueprints(
    registry: Registry,
    ledger: Ledger,
    settings: Settings,
    existing: KnownVersions,
    asking: Asking,
    sending: SendBudget,
) -> Iterator[Blueprint]:
    """Yield the blueprints of the registry's routes."""
    workers = Workers(ledger.client)
    registrations = RegistrationViews(registry, workers, settings)
    removals = RemovalViews(registry, Ghosts(ledger.client, settings))
    yield registrations.blueprint()
    yield ModelViews(registry, registrations).blueprint()
    yield StatusViews(registry, registrations, existing, workers).blueprint()
    yield HistoryViews(registry).blueprint()
    yield AliasViews(registry).blueprint()
    yield CacheViews(registry).blueprint()
    yield RolloutViews(registry).blueprint()
    shadows = ShadowLook(registry, Shadows(ledger.client))
    yield ComparisonViews(registry, ledger, shadows).blueprint()
    yield ShadowViews(registry, shadows).blueprint()
    yield DriftViews(registry, DriftLook(registry, DriftCounts(ledger.client))).blueprint()
    yield removals.blueprint()
    # As many threads as batch jobs have for their files: a slow reader holds one.
    yield ArtifactViews(registry, settings.threads // 8).blueprint()
    yield DeploymentRoutes(registry, Observing(registry, ledger)).blueprint()
    yield DeploymentViews(registry, registrations, removals).blueprint()
    yield PredictingViews(asking, registry, settings, sending).blueprint()
