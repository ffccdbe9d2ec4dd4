"""The composition root of the front end; granian calls `create_app`."""

from flask import Flask, Response, send_from_directory

from api.asgi.bodies import BodyReceiver
from api.asgi.concurrency import ConcurrencyLimit
from api.asgi.drain import Drain
from api.asgi.entrance import Entrance
from api.asgi.fast_path import FastPath
from api.asgi.protocol import by_path, in_threads, noticing_who_leaves
from api.asgi.sending import Sending
from api.batches.routes import Batches
from api.batches.schemas import ROUTE
from api.dead_letters.routes import LetterViews
from api.http import problems
from api.http.dates import passing_over_wrong_dates
from api.http.rights import Rights
from api.models.known_versions import KnownVersions
from api.models.pause_routes import PauseViews
from api.models.routes import ModelViews
from api.openapi import document as openapi
from api.operations.front_page import STATIC, front_page, static
from api.operations.request_metrics import Requests
from api.operations.routes import Operations
from api.predictions.routes import Predictions
from registry.store import Registry
from tasks.gateway import Gateway
from tasks.hosts import LOOPBACK_HOSTS, Hosts
from tasks.ids import Ids, read_or_make_key
from tasks.jobs.gateway import JobGateway
from tasks.ledger.dead_letters.letters import DeadLetters
from tasks.ledger.dead_letters.replay import Replays
from tasks.ledger.ledger import Ledger, connect
from tasks.ledger.pauses.pauses import Pauses
from tasks.ledger.server.first_look import FirstLook
from tasks.ledger.watcher import Watcher
from tasks.settings import Settings
from telemetry.logs import configure

LANES = 2
"""Thread pools: batch jobs have their own, so that long downloads never delay predictions."""


class Parts:
    """The objects that the views share. Redis need not answer yet when they are built."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.registry = Registry(settings.home)
        client = connect(settings.redis_url, threads=LANES * settings.threads)
        self.ledger = Ledger(client, settings)
        key = read_or_make_key(settings.home / "id.key")
        watcher = Watcher(client)
        self.gateway = Gateway(self.ledger, watcher, Ids(key), settings)
        rights = Rights(settings.home)
        self.sending = Sending(settings.max_outcome_bytes)
        self.predictions = Predictions(self.gateway, self.registry, settings, rights, self.sending)
        # A separate key: a job's id must not pass for a prediction's, which has a record.
        jobs = JobGateway(client, watcher, Ids(key + b"jobs"), settings)
        self.batches = Batches(jobs, self.registry, settings, rights)
        self.requests = Requests()

    def hurry(self) -> None:
        """Answer every waiting request at once, because this process is about to shut down."""
        self.gateway.hurry()
        self.batches.deliveries.hurry()


def create_app(address: str = LOOPBACK_HOSTS[0]) -> Drain:
    """Build the ASGI application for a server on this address: the fast path, then Flask."""
    configure("api")
    parts = Parts(Settings.from_environment())
    FirstLook(parts.ledger.client, parts.ledger.fit).take()
    app, threads = create_flask(parts), parts.settings.threads
    batches, predictions = (in_threads(app, threads) for _ in range(LANES))
    bound = parts.settings.max_body_bytes
    fast_path = FastPath(parts.predictions, parts.requests, predictions, bound)
    lanes = by_path(ROUTE, noticing_who_leaves(batches), fast_path)
    received = BodyReceiver(lanes, parts.requests, bound)
    hosts = Hosts(address, parts.settings.hosts)
    return Drain(Entrance(received, hosts, parts.requests), parts.hurry)


def create_flask(parts: Parts) -> Flask:
    """Build the Flask application, which answers every route, those of the fast path too."""
    app = Flask(__name__, static_folder=None)
    # Werkzeug silently truncates a body without Content-Length at this limit. The extra byte
    # lets the views tell a truncated body from one that just fits.
    app.config["MAX_CONTENT_LENGTH"] = parts.settings.max_body_bytes + 1
    app.wsgi_app = passing_over_wrong_dates(app.wsgi_app)  # type: ignore[method-assign, assignment]  # as Flask has it
    app.url_map.merge_slashes = False  # no redirect: API clients do not expect one
    parts.requests.watch(app)
    app.register_blueprint(parts.predictions.blueprint())
    app.register_blueprint(parts.batches.blueprint())
    app.register_blueprint(ModelViews(parts.registry).blueprint())
    letters, pauses = DeadLetters(parts.ledger.client, parts.settings), Pauses(parts.ledger.client)
    replays = Replays(parts.ledger, letters)
    app.register_blueprint(LetterViews(letters, replays, parts.sending).blueprint())
    app.register_blueprint(PauseViews(pauses, parts.registry).blueprint())
    existing = KnownVersions(parts.ledger, pauses, parts.registry)
    app.register_blueprint(Operations(parts.ledger, letters, existing, parts.requests).blueprint())
    _add_documentation(app, ConcurrencyLimit(parts.settings.threads // 4))
    problems.register(app)
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
        return limit.held(lambda _: static(name))
