"""The routes of predictions before a gateway in memory."""

from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from api.http import problems
from api.limits.send_budget import SendBudget
from api.predictions.routes import Predictions
from registry.changes import Changes
from registry.store import Registry
from tasks.settings import Settings
from tests.callers import client_of
from tests.support.models import described
from tests.unit.api.predictions.routes_harness import Gateway


@pytest.fixture
def gateway() -> Gateway:
    return Gateway()


@pytest.fixture
def home(tmp_path: Path) -> Path:
    registry = Registry(tmp_path)
    for artifact in (b"one", b"two"):
        registry.add("m", described(artifact), artifact)
    Changes(registry).set_alias("m", "fallback", 1)
    return tmp_path


@pytest.fixture
def sending() -> Any:
    return SendBudget(1)


@pytest.fixture
def max_body_bytes() -> int:
    return 2**20


@pytest.fixture
def web(gateway: Any, home: Path, sending: SendBudget, max_body_bytes: int) -> FlaskClient:
    app = Flask(__name__)
    settings = Settings(
        home=home, redis_url="", threads=4, max_rows=3, max_body_bytes=max_body_bytes
    )
    views = Predictions(gateway, Registry(home), settings, sending)
    app.register_blueprint(views.blueprint())
    problems.register(app)
    return client_of(app)
