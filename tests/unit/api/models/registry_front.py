"""The routes of the registry in a Flask application of their own, over a Redis that is away."""

from pathlib import Path

from flask import Flask
from flask.testing import FlaskClient

from api.app import Services, create_flask
from registry.store import Registry
from tasks.settings import Settings
from tests.callers import OWNER, client_of
from tests.support.models import described

AWAY = "redis://127.0.0.1:1/0"


class RegistryFront:
    """A registry of three versions, and a client for its routes."""

    def __init__(self, home: Path) -> None:
        self.home, self.registry = home, Registry(home)
        for artifact in (b"one", b"two", b"three"):
            self.registry.add("m", described(artifact), artifact)
        self.app: Flask = create_flask(Services(Settings(home=home, redis_url=AWAY)))

    @property
    def owner(self) -> FlaskClient:
        """A client that presents the local key."""
        return client_of(self.app, OWNER)

    @property
    def anyone(self) -> FlaskClient:
        """A client without a key."""
        return client_of(self.app)
