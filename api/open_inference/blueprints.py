"""All routes of the protocol, built over what they share."""

from collections.abc import Iterator

from flask import Blueprint

from api.models.known_versions import KnownVersions
from api.models.load_routes import LoadViews
from api.open_inference.availability import Availability
from api.open_inference.inference_routes import InferenceViews
from api.open_inference.metadata_routes import MetadataViews
from api.open_inference.repository_routes import RepositoryViews
from api.operations.routes import Operations
from api.predictions.routes import Predictions
from registry.store import Registry
from tasks.ledger.ledger import Ledger
from tasks.ledger.queue.directives import Directives
from tasks.ledger.queue.workers import Workers
from tasks.settings import Settings


def protocol_blueprints(
    registry: Registry,
    ledger: Ledger,
    settings: Settings,
    existing: KnownVersions,
    predictions: Predictions,
    operations: Operations,
) -> Iterator[Blueprint]:
    """Yield the blueprints of the protocol, and of load and unload, which it shares."""
    workers, directives = Workers(ledger.client), Directives(ledger.client)
    availability = Availability(registry, existing, directives, workers)
    loads = LoadViews(registry, directives, workers, settings.threads // 8)
    yield loads.blueprint()
    yield InferenceViews(predictions, registry, settings).blueprint()
    yield MetadataViews(registry, availability, operations).blueprint()
    yield RepositoryViews(registry, loads, availability).blueprint()
