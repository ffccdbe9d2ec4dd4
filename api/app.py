"""The composition root of the front end; granian calls `create_app`."""

from a2wsgi.asgi_typing import ASGIApp
from flask import Flask, Response, send_from_directory

from api.asgi.admission import Admission
from api.asgi.bodies import BodyReceiver
from api.asgi.cross_origin import CrossOrigin
from api.asgi.drain import Drain
from api.asgi.fast_path import FastPath
from api.asgi.protocol import route_by_path, run_in_threads, watch_disconnects
from api.asgi.request_filter import RequestFilter
from api.audit.auditing import Auditing
from api.audit.routes import AuditViews
from api.batches.routes import Batches
from api.batches.schemas import ROUTE
from api.bulk.accepting import BulkServices
from api.bulk.results import Results
from api.bulk.submit import (
    BulkSubmissions,
    DocumentSubmissions,
    NdjsonSubmissions,
)
from api.callers.access import check_routes
from api.callers.anonymous import anonymous_caller
from api.callers.current import guard
from api.callers.known_keys import KnownKeys, Presented
from api.callers.static_keys import StaticKeys, local_key
from api.console.routes import Console
from api.console.session.sessions import Sessions
from api.console.views.batch_views import JOB_PAGES
from api.dead_letters.routes import LetterViews
from api.drift.looking import DriftLook
from api.drop_in.asking import Asking
from api.drop_in.blueprints import registry_blueprints
from api.events.following import Following
from api.http import problems
from api.http.dates import ignore_invalid_dates
from api.keys.routes import KeyViews
from api.limits.byte_budget import ByteBudget
from api.limits.concurrency import ConcurrencyLimit
from api.limits.send_budget import SendBudget
from api.models.known_versions import KnownVersions
from api.models.pause_routes import PauseViews
from api.open_inference.blueprints import protocol_blueprints
from api.open_inference.protocol_errors import ProtocolErrors
from api.openapi import document as openapi
from api.operations.front_page import STATIC, front_page, static
from api.operations.request_metrics import RequestMetrics
from api.operations.routes import Operations
from api.operations.scale_routes import ScaleViews
from api.predictions.routes import Predictions
from api.server import connection_capacity
from api.truths.truth_routes import TruthViews
from api.waiting.answering import Answering
from api.waiting.entering import Entering
from api.waiting.waiting_path import WaitingPath
from registry.store import Registry
from tasks.drift.counts import DriftCounts
from tasks.events.log import EventLog
from tasks.events.news import News
from tasks.gateway import Gateway
from tasks.hosts import LOOPBACK_HOSTS, Hosts
from tasks.ids import Ids, read_or_make_key
from tasks.jobs.gateway import JobGateway
from tasks.key_files import ID_KEY
from tasks.ledger.api_keys.key_store import KeyStore
from tasks.ledger.dead_letters.letters import DeadLetters
from tasks.ledger.dead_letters.replay import Replays
from tasks.ledger.ledger import Ledger, connect
from tasks.ledger.pauses.pauses import Pauses
from tasks.ledger.server.startup_check import StartupCheck
from tasks.ledger.span_counts import exporter
from tasks.ledger.watcher import Watcher
from tasks.settings import Settings
from tasks.waiting.waits import Waits
from telemetry.logs import configure
from telemetry.tracing.sampler import sampler
from telemetry.tracing.tracer import Tracer

WAITING_SHARE = 3 / 4
"""Share of a process's connections that may wait, so that others are accepted beside them."""
MAX_REGISTRY_AGE = 0.001
"""Seconds for which a process may use its cached view of the registry. A look at the file for each
request lets go of the interpreter, which other threads then hold: a quarter of a submission."""
THREAD_POOLS = 2
"""Thread pools: batch jobs have their own, so that long downloads never delay predictions."""


class Services:
    """The objects that the views share. Redis need not answer yet when they are built."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.registry = Registry(settings.home, MAX_REGISTRY_AGE)
        client = connect(settings.redis_url, threads=THREAD_POOLS * settings.threads)
        self.ledger = Ledger(client, settings)
        key = read_or_make_key(settings.home / ID_KEY)
        self.watcher = Watcher(client)
        self.gateway = Gateway(self.ledger, Ids(key), settings)
        most = int(connection_capacity() * WAITING_SHARE)
        self.waits = Waits(self.gateway, settings.redis_url, most)
        self.news = News(settings.redis_url)
        self.sending = SendBudget(settings.max_outcome_bytes)
        self.predictions = Predictions(self.gateway, self.registry, settings, self.sending)
        # A separate key: a job's id must not pass for a prediction's, which has a record.
        jobs = JobGateway(client, self.watcher, Ids(key + b"jobs"), settings)
        self.batches = Batches(jobs, self.registry, settings)
        self.requests = RequestMetrics()
        self.spans = exporter("api", client)
        self.tracer = Tracer(sampler(), self.spans) if self.spans is not None else None
        secret = local_key(settings.home)
        self.sessions = Sessions(client, self.ledger.pipeline, secret)
        self.console = Console(self.gateway, jobs, self.registry, self.sessions, settings)

    def bulk_submissions(self) -> BulkSubmissions:
        """The part that accepts bulk requests."""
        parsing = ByteBudget(self.settings.max_body_bytes)
        shared = BulkServices(self.gateway, self.registry, self.settings, parsing)
        return BulkSubmissions(shared, self.requests)

    def waiting_path(self, behind: ASGIApp) -> WaitingPath:
        """The part that answers waiting requests."""
        bound = self.settings.max_body_bytes
        return WaitingPath(
            Entering(self.predictions, self.gateway, self.waits, behind, bound),
            Answering(self.predictions, self.gateway, self.waits, self.sending),
            self.requests,
            behind,
        )

    def following(self, behind: ASGIApp) -> Following:
        """The part that streams events."""
        return Following(EventLog(self.ledger), self.news, self.requests, behind)

    def admission(self, address: str, behind: ASGIApp) -> Admission:
        """The part that admits callers to a server on this address."""
        anonymous = anonymous_caller(address, self.settings)
        static = StaticKeys(self.settings.home, self.settings.keys_file)
        presented = self._presented(KnownKeys(static, self.ledger.pipeline))
        audit = Auditing(self.settings.home)
        given = self.sessions.caller, self.requests, audit, self.tracer
        return Admission(behind, presented, anonymous, *given)

    def _presented(self, known: KnownKeys) -> Presented:
        """What tells callers by what they present: keys, and JWTs if any issuer is trusted."""
        if self.settings.issuers_file is None:
            return known.caller
        from api.issuers.jwt_callers import jwt_callers  # noqa: PLC0415 - cryptography is large

        return jwt_callers(self.settings.issuers_file, known.caller).caller

    def results(self, behind: ASGIApp) -> Results:
        """The part that answers requests for the outcomes of many predictions."""
        return Results(
            self.predictions, self.gateway, self.waits, self.sending, self.requests, behind
        )

    def end_waits(self) -> None:
        """Answer every waiting request at once, because this process is about to shut down."""
        self.gateway.begin_shutdown()
        if self.spans is not None:
            self.spans.hasten()
        self.waits.end_all()
        self.news.end_all()
        self.batches.outputs.end_waits()


def create_app(address: str = LOOPBACK_HOSTS[0]) -> Drain:
    """Build the ASGI application for a server on this address: the fast path, then Flask."""
    configure("api")
    services = Services(Settings.from_environment())
    StartupCheck(services.ledger.client, services.ledger.fit).run()
    app, threads = create_flask(services), services.settings.threads
    batches, predictions = (run_in_threads(app, threads) for _ in range(THREAD_POOLS))
    bound = services.settings.max_body_bytes
    submissions = services.bulk_submissions()
    documents = DocumentSubmissions(submissions, predictions)
    others = services.following(services.results(documents))
    fast_path = FastPath(services.predictions, services.requests, others, bound)
    waiting = services.waiting_path(fast_path)
    routed = route_by_path((ROUTE, JOB_PAGES), watch_disconnects(batches), waiting)
    live = services.console.live(services.requests, routed)
    received = BodyReceiver(live, services.requests, bound)
    hosts = Hosts(address, services.settings.hosts)
    streamed = NdjsonSubmissions(submissions, received)

    def end_waits() -> None:
        services.end_waits()
        live.end_waits()

    origins = CrossOrigin(services.settings.cors_origins)
    admission = services.admission(address, streamed)
    filtered = RequestFilter(admission, hosts, origins, services.requests)
    return Drain(ProtocolErrors(filtered), end_waits)


def create_flask(services: Services) -> Flask:
    """Build the Flask application, which answers every route, those of the fast path too."""
    app = Flask(__name__, static_folder=None)
    # Werkzeug silently truncates a body without Content-Length at this limit. The extra byte
    # lets the views tell a truncated body from one that just fits.
    app.config["MAX_CONTENT_LENGTH"] = services.settings.max_body_bytes + 1
    app.wsgi_app = ignore_invalid_dates(app.wsgi_app)  # type: ignore[method-assign, assignment]  # as Flask has it
    app.url_map.merge_slashes = False  # no redirect: API clients do not expect one
    services.requests.watch(app)
    guard(app)  # registered first, so that it runs before everything else that reads a request
    app.register_blueprint(services.predictions.blueprint())
    app.register_blueprint(services.batches.blueprint())
    ledger = services.ledger
    app.register_blueprint(AuditViews(services.settings.home).blueprint())
    app.register_blueprint(KeyViews(KeyStore(ledger.client)).blueprint())
    letters, pauses = DeadLetters(ledger.client, services.settings), Pauses(ledger.client)
    replays = Replays(ledger, letters)
    app.register_blueprint(LetterViews(letters, replays, services.sending).blueprint())
    existing = KnownVersions(ledger, pauses, services.registry)
    registry, settings = services.registry, services.settings
    asking = Asking(services.gateway, services.watcher, registry, settings)
    known = registry, ledger, settings
    for blueprint in registry_blueprints(*known, existing, asking, services.sending):
        app.register_blueprint(blueprint)
    app.register_blueprint(PauseViews(pauses, services.registry).blueprint())
    drift = DriftLook(registry, DriftCounts(ledger.client))
    operations = Operations(ledger, letters, existing, drift, services.requests, settings)
    app.register_blueprint(operations.blueprint())
    app.register_blueprint(ScaleViews(existing, settings).blueprint())
    for blueprint in protocol_blueprints(*known, existing, services.predictions, operations):
        app.register_blueprint(blueprint)
    for blueprint in services.console.blueprints():
        app.register_blueprint(blueprint)
    truths = TruthViews(services.gateway, registry, ledger.client, settings)
    app.register_blueprint(truths.blueprint())
    _add_documentation(app, ConcurrencyLimit(services.settings.threads // 4))
    problems.register(app)
    check_routes(
        (method, rule.rule)
        for rule in app.url_map.iter_rules()
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    )
    return app


def _add_documentation(app: Flask, limit: ConcurrencyLimit) -> None:
    """Serve the docs. Static files are limited: a client that reads slowly holds a thread."""
    document = openapi.document()
    app.get("/")(front_page)

    @app.get("/openapi.json")
    def describe() -> Response:
        return Response(document, content_type="application/json")

    @app.get("/docs")
    def docs() -> Response:
        return send_from_directory(STATIC, "docs.html")

    @app.get("/static/<name>")
    def static_file(name: str) -> Response:
        return limit.limited(lambda _: static(name))
