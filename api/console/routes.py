"""The composition of the console: its parts, its routes, and how they answer errors."""

from typing import Protocol

import redis
from a2wsgi.asgi_typing import ASGIApp
from flask import Blueprint, Response, request, send_from_directory

from api.callers.current import PAGES, check_scope
from api.console.live.events import LiveEvents
from api.console.live.sampler import Sampler
from api.console.live.snapshot import Observer
from api.console.pages.life import LifeLook
from api.console.rendering import STATIC_FILES, Pages, templates
from api.console.session.sessions import Sessions
from api.console.session.viewer import CONSOLE_PATH, check_viewer
from api.console.views.audit_views import AuditPages
from api.console.views.batch_views import BatchPages
from api.console.views.key_views import KeyPages
from api.console.views.letter_views import LetterPages
from api.console.views.model_views import ModelPages
from api.console.views.prediction_views import PredictionViews
from api.console.views.runbook_views import RunbookViews
from api.console.views.search_views import SearchViews
from api.console.views.sign_in import CODES_ROUTE, SignInViews
from api.console.views.state_views import StateViews
from api.console.views.try_views import TryViews
from api.drift.looking import DriftLook
from api.http.problems import problem_of, status_of, unavailable
from api.limits.concurrency import ConcurrencyLimit
from api.models.known_versions import KnownVersions
from api.operations.request_metrics import RequestMetrics
from api.shadows.looking import ShadowLook
from registry.store import Registry
from tasks.drift.counts import DriftCounts
from tasks.gateway import Gateway
from tasks.jobs.gateway import JobGateway
from tasks.ledger.api_keys.key_store import KeyStore
from tasks.ledger.dead_letters.letters import DeadLetters
from tasks.ledger.dead_letters.replay import Replays
from tasks.ledger.ledger import Ledger, connect
from tasks.ledger.pauses.pauses import Pauses
from tasks.settings import Settings
from tasks.shadows.shadows import Shadows
from telemetry.errors import NotFound, PredictqError, UnsupportedMediaType

ASSET_SECONDS = 31_536_000
"""Seconds for which a browser keeps a static file whose address changes with its content."""
MAX_FORM_BYTES = 2**18
"""Bytes of a form; larger requests are for programs."""


class RouteSource(Protocol):
    """Views, which add their routes to those of the console."""

    def add_to(self, routes: Blueprint) -> None:
        """Add the routes."""


class Console:
    """The console of one process of the API."""

    def __init__(
        self,
        gateway: Gateway,
        jobs: JobGateway,
        registry: Registry,
        sessions: Sessions,
        settings: Settings,
    ) -> None:
        ledger, client = gateway.ledger, gateway.ledger.client
        letters, pauses = DeadLetters(client, settings), Pauses(client)
        self._sampler = Sampler(_observer(registry, settings).take)
        drift = DriftLook(registry, DriftCounts(client))
        life = LifeLook(registry, drift, ShadowLook(registry, Shadows(client)))
        environment = templates()
        self._pages = pages = Pages(environment, self._sampler)
        slots = max(settings.threads // 8, 1)
        self._static = ConcurrencyLimit(2 * slots)
        self._sign_in = SignInViews(sessions, pages)
        self._state = StateViews(environment, self._sampler, pages)
        self._views: tuple[RouteSource, ...] = (
            self._sign_in,
            self._state,
            PredictionViews(gateway, pages),
            ModelPages(registry, pauses, life, pages),
            BatchPages(jobs, pages, slots),
            LetterPages(letters, Replays(ledger, letters), pages),
            TryViews(gateway, registry, settings, pages),
            RunbookViews(pages),
            KeyPages(KeyStore(client), pages),
            AuditPages(settings.home, pages),
            SearchViews(gateway, jobs, registry, pages),
        )

    def blueprints(self) -> list[Blueprint]:
        """The routes: those of the pages, and one for programs that hold the local key."""
        pages = Blueprint(PAGES, __name__, url_prefix=CONSOLE_PATH)
        pages.before_request(check_viewer)
        pages.before_request(check_scope)
        pages.before_request(_bound_form)
        pages.register_error_handler(PredictqError, self._refused)
        pages.register_error_handler(redis.RedisError, self._without_redis)
        for views in self._views:
            views.add_to(pages)
        pages.get("/static/<name>")(self._static_file)
        pages.get("/<path:other>")(_nothing_here)
        codes = Blueprint("console_codes", __name__)
        codes.post(CODES_ROUTE)(self._sign_in.issue)
        return [pages, codes]

    def live(self, requests: RequestMetrics, behind: ASGIApp) -> LiveEvents:
        """The part that streams the state to open pages, in front of all other routes."""
        return LiveEvents(self._sampler, self._state.fragments, requests, behind)

    def _static_file(self, name: str) -> Response:
        return self._static.limited(lambda _: _file(name))

    def _refused(self, error: PredictqError) -> Response:
        problem = problem_of(error)
        return self._pages.show(
            "refused.html", problem.title, status_of(error), problem=problem, wait=False
        )

    def _without_redis(self, error: redis.RedisError) -> Response:
        problem, wait = problem_of(unavailable(error)), request.method == "GET"
        return self._pages.show(
            "refused.html", problem.title, problem.status, problem=problem, wait=wait
        )


def _observer(registry: Registry, settings: Settings) -> Observer:
    # Connections of its own: reading must not wait for those of requests, nor delay these.
    ledger = Ledger(connect(settings.redis_url), settings)
    client = ledger.client
    existing = KnownVersions(ledger, Pauses(client), registry)
    return Observer(client, existing, DeadLetters(client, settings))


def _file(name: str) -> Response:
    # Modules import each other without a version, so browsers must ask whether those changed.
    lasting = ASSET_SECONDS if "v" in request.args else 0
    response = send_from_directory(STATIC_FILES, name, max_age=lasting)
    response.direct_passthrough = False  # with it, werkzeug never closes the response
    return response


def _bound_form() -> None:
    """Refuse a form that is long, or has parts: both would be read whole before a view bounds it.

    Raises `UnsupportedMediaType`; a long form raises Flask's 413 where a view reads it.
    """
    if request.mimetype == "multipart/form-data":
        raise UnsupportedMediaType("the console takes forms without files")
    request.max_content_length = MAX_FORM_BYTES


def _nothing_here(other: str) -> Response:
    raise NotFound(f"the console has no page {other[:200]!r}")
