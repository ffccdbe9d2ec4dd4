"""Which version answers an inference, where versions have the same columns in another order."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from api.http import problems
from api.limits.send_budget import SendBudget
from api.open_inference.inference_routes import InferenceViews
from api.predictions.routes import Predictions
from registry.changes import Changes
from registry.manifest import Column, Signature
from registry.splits import chosen_version
from registry.store import Registry
from tasks.ledger.queue.queue_estimate import QueueEstimate
from tasks.messages import Idempotency, Prediction
from tasks.record import Record
from tasks.settings import Settings
from telemetry.errors import QueueFull, VersionPaused
from tests.callers import client_of
from tests.support.models import described

ROWS = {1: [[1.0, 2.0]], 2: [[2.0, 1.0]]}
"""Version → the row with a = 1 and b = 2, as it takes it."""
ASKED = {
    "inputs": [
        {"name": name, "shape": [1], "datatype": "FP64", "data": [value]}
        for name, value in (("a", 1.0), ("b", 2.0))
    ],
}


class Gateway:
    """Accepts everything but a paused version."""

    queue_estimates = SimpleNamespace(freshen=lambda _: None, of=lambda _: QueueEstimate())

    def __init__(self) -> None:
        self.submitted: list[Prediction] = []
        self.paused = 0

        self.full_at = 99
        self.keys: list[Idempotency | None] = []
        self.cancelled: list[str] = []

    def submit(self, prediction: Prediction, key: Idempotency | None) -> Record:
        if prediction.version == self.paused:
            raise VersionPaused
        if len(self.submitted) == self.full_at:
            raise QueueFull
        self.submitted.append(prediction)
        self.keys.append(key)
        return Record.queued(f"id-{len(self.submitted)}", prediction)

    def cancel(self, task_id: str) -> None:
        self.cancelled.append(task_id)


@pytest.fixture
def gateway() -> Any:
    return Gateway()


@pytest.fixture
def web(tmp_path: Path, gateway: Any) -> FlaskClient:
    registry = Registry(tmp_path)
    for names, methods in (("ab", ("predict", "predict_proba")), ("ba", ("predict",))):
        columns = tuple(map(Column, names))
        artifact = names.encode()
        signature = Signature(columns, named=True, frame=True, methods=methods)
        registry.add("m", described(artifact, signature=signature), artifact)
    changes = Changes(registry)
    changes.set_alias("m", "fallback", 1)
    changes.set_alias("m", "split", {1: 90, 2: 10})
    settings, app = Settings(home=tmp_path, redis_url=""), Flask(__name__)
    predictions = Predictions(gateway, registry, settings, SendBudget(1))
    app.register_blueprint(InferenceViews(predictions, registry, settings).blueprint())
    problems.register(app)
    return client_of(app)


def caller_of(version: int) -> str:
    """A caller for whom the split chooses this version."""
    callers = map(str, range(1000))
    shares = {1: 90, 2: 10}
    return next(c for c in callers if chosen_version("m", "split", shares, c.encode()) == version)


def infer(web: FlaskClient, model: str, version: int, **asked: Any) -> Any:
    head = {"X-Caller-Id": caller_of(version), "Prefer": "respond-async"}
    return web.post(f"/v2/models/{model}/infer", json=ASKED | asked, headers=head)


@pytest.mark.parametrize("version", [1, 2])
def test_split_gives_the_chosen_version_its_own_order_of_columns(
    web: FlaskClient, gateway: Gateway, version: int
) -> None:
    assert infer(web, "m@split", version).status_code == 202
    (prediction,) = gateway.submitted
    assert (prediction.version, prediction.features) == (version, ROWS[version])
    assert prediction.alias == "split"


def test_fallback_gets_its_own_order_of_columns(web: FlaskClient, gateway: Gateway) -> None:
    gateway.paused = 2
    assert infer(web, "m", 2).status_code == 202
    (prediction,) = gateway.submitted
    assert (prediction.version, prediction.features) == (1, ROWS[1])


@pytest.mark.parametrize(("version", "status"), [(1, 202), (2, 422)])
def test_outputs_are_those_of_the_version_that_a_split_chooses(
    web: FlaskClient, version: int, status: int
) -> None:
    answer = infer(web, "m@split", version, outputs=[{"name": "predict_proba"}])
    assert answer.status_code == status


def test_request_without_a_key_is_drawn_once(web: FlaskClient, gateway: Gateway) -> None:
    for _ in range(40):
        web.post("/v2/models/m@split/infer", json=ASKED, headers={"Prefer": "respond-async"})
    assert all(each.features == ROWS[each.version] for each in gateway.submitted)


BOTH = [{"name": "predict"}, {"name": "predict_proba"}]


def test_outputs_before_one_that_is_refused_are_cancelled(
    web: FlaskClient, gateway: Gateway
) -> None:
    gateway.full_at = 1
    answer = web.post("/v2/models/m/versions/1/infer", json=ASKED | {"outputs": BOTH})
    assert (answer.status_code, answer.get_json()["code"]) == (503, "queue_full")
    assert gateway.cancelled == ["id-1"]


def test_idempotency_key_is_one_for_each_output(web: FlaskClient, gateway: Gateway) -> None:
    gateway.full_at, head = 1, {"Idempotency-Key": "mine"}
    asked = ASKED | {"outputs": BOTH}
    web.post("/v2/models/m/versions/1/infer", json=asked, headers=head)
    assert gateway.cancelled == [], "the same request again finds the first output by its key"
    gateway.full_at = 99
    web.post("/v2/models/m/versions/1/infer", json=asked, headers=head)
    first, again, other = (key for key in gateway.keys if key)
    assert first == again
    assert (first.key, other.key) == ("mine\npredict", "mine\npredict_proba")
    other_rows = asked | {"id": "another"}
    web.post("/v2/models/m/versions/1/infer", json=other_rows, headers=head)
    last = gateway.keys[-1]
    assert last
    assert last.key == other.key
    assert last.fingerprint != other.fingerprint
