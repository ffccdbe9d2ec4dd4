"""The composition root of the front end; a WSGI server calls `create_app`."""

from pathlib import Path

from flask import Flask, Response, send_from_directory

from api import openapi, problems
from api.measures import Requests
from api.models import ModelViews
from api.operations import Operations
from api.predictions import Predictions
from registry.store import Registry
from tasks.gateway import Gateway
from tasks.ids import Ids, read_or_make_key
from tasks.ledger.ledger import Ledger, connect
from tasks.ledger.watcher import Watcher
from tasks.settings import Settings
from telemetry.logs import configure

STATIC = Path(__file__).parent / "static"


def create_app(settings: Settings | None = None) -> Flask:
    """Build the application; Redis need not be there yet."""
    settings = settings or Settings.from_environment()
    configure("api")
    app = Flask(__name__, static_folder=None)
    # Werkzeug cuts off, silently, what came without a length: one byte more shows that it did.
    app.config["MAX_CONTENT_LENGTH"] = settings.max_body_bytes + 1
    requests = Requests()
    requests.watch(app)
    registry = Registry(settings.home)
    client = connect(settings.redis_url)
    ledger = Ledger(client, settings)
    ids = Ids(read_or_make_key(settings.home / "id.key"))
    gateway = Gateway(ledger, Watcher(client), ids, settings)
    app.extensions["gateway"] = gateway
    app.register_blueprint(Predictions(gateway, registry, settings).blueprint())
    app.register_blueprint(ModelViews(registry).blueprint())
    app.register_blueprint(Operations(ledger, requests).blueprint())
    _add_documentation(app)
    problems.register(app)
    return app


def _add_documentation(app: Flask) -> None:
    document = openapi.document()

    @app.get("/openapi.json")
    def describe() -> Response:
        return Response(document, content_type="application/json")

    @app.get("/docs")
    def docs() -> Response:
        return send_from_directory(STATIC, "docs.html")

    @app.get("/static/<name>")
    def static_file(name: str) -> Response:
        return send_from_directory(STATIC, name, max_age=3600)
