"""The composition root of the front end; granian calls `create_app`."""

from flask import Flask, Response, send_from_directory

from api import openapi, problems
from api.asgi import by_path, in_threads, noticing_who_leaves
from api.batch_view import ROUTE
from api.batches import Batches
from api.entrance import Entrance
from api.existing import Existing
from api.express import Express
from api.front import STATIC, front_page, static
from api.hosts import LOOPBACK, Hosts
from api.leaving import Door
from api.letters import LetterViews
from api.measures import Requests
from api.models import ModelViews
from api.operations import Operations
from api.pauses import PauseViews
from api.places import Places
from api.predictions import Predictions
from api.receiving import Receiving
from api.rights import Rights
from registry.store import Registry
from tasks.gateway import Gateway
from tasks.ids import Ids, read_or_make_key
from tasks.jobs.gateway import Jobs
from tasks.ledger.first_look import FirstLook
from tasks.ledger.ledger import Ledger, connect
from tasks.ledger.letters import DeadLetters
from tasks.ledger.pauses import Pauses
from tasks.ledger.watcher import Watcher
from tasks.replaying import Replays
from tasks.settings import Settings
from telemetry.logs import configure

LANES = 2
"""Each with threads of its own: files and events take long, and predictions never wait for them."""


class Parts:
    """What the views stand on; Redis need not be there yet."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.registry = Registry(settings.home)
        client = connect(settings.redis_url, threads=LANES * settings.threads)
        self.ledger = Ledger(client, settings)
        key = read_or_make_key(settings.home / "id.key")
        watcher = Watcher(client)
        self.gateway = Gateway(self.ledger, watcher, Ids(key), settings)
        rights = Rights(settings.home)
        self.predictions = Predictions(self.gateway, self.registry, settings, rights)
        # A job's id is none of a prediction, which would have to have a record.
        jobs = Jobs(client, watcher, Ids(key + b"jobs"), settings)
        self.batches = Batches(jobs, self.registry, settings, rights)
        self.requests = Requests()

    def hurry(self) -> None:
        """Keep nobody waiting: the process is about to end."""
        self.gateway.hurry()
        self.batches.deliveries.hurry()


def create_app(address: str = LOOPBACK[0]) -> Door:
    """Build what an ASGI server on this address serves: the express lane, the rest behind it."""
    configure("api")
    parts = Parts(Settings.from_environment())
    FirstLook(parts.ledger.client, parts.ledger.fit).take()
    app, threads = create_flask(parts), parts.settings.threads
    batches, predictions = (in_threads(app, threads) for _ in range(LANES))
    bound = parts.settings.max_body_bytes
    express = Express(parts.predictions, parts.requests, predictions, bound)
    lanes = by_path(ROUTE, noticing_who_leaves(batches), express)
    received = Receiving(lanes, parts.requests, bound)
    hosts = Hosts(address, parts.settings.hosts)
    return Door(Entrance(received, hosts, parts.requests), parts.hurry)


def create_flask(parts: Parts) -> Flask:
    """Build the whole application; it answers everything, by itself too."""
    app = Flask(__name__, static_folder=None)
    # Werkzeug cuts off, silently, what came without a length: one byte more shows that it did.
    app.config["MAX_CONTENT_LENGTH"] = parts.settings.max_body_bytes + 1
    app.url_map.merge_slashes = False  # a redirect is no answer that anybody expects
    parts.requests.watch(app)
    app.register_blueprint(parts.predictions.blueprint())
    app.register_blueprint(parts.batches.blueprint())
    app.register_blueprint(ModelViews(parts.registry).blueprint())
    letters, pauses = DeadLetters(parts.ledger.client, parts.settings), Pauses(parts.ledger.client)
    app.register_blueprint(LetterViews(letters, Replays(parts.ledger, letters)).blueprint())
    app.register_blueprint(PauseViews(pauses, parts.registry).blueprint())
    existing = Existing(parts.ledger, pauses, parts.registry)
    app.register_blueprint(Operations(parts.ledger, letters, existing, parts.requests).blueprint())
    _add_documentation(app, Places(parts.settings.threads // 4))
    problems.register(app)
    return app


def _add_documentation(app: Flask, places: Places) -> None:
    """Whoever reads no file of the page to its end keeps a thread, so those have places."""
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
        return places.held(lambda _: static(name))
