"""What came true is told once for each prediction, and counted by version, day and arm."""

from pathlib import Path

import pytest
import redis
from flask.testing import FlaskClient
from msgspec.structs import replace

from api.app import Services, create_flask
from registry.manifest import Signature
from registry.store import Registry
from tasks.comparison.figures import Comparisons
from tasks.ids import Ids, read_or_make_key
from tasks.key_files import ID_KEY
from tasks.ledger import keys
from tasks.ledger.predictions.settled import Settled
from tasks.messages import Arm
from tasks.settings import Settings
from telemetry.errors import ModelError
from tests.callers import OWNER, client_of
from tests.integration.ledger.ledger_harness import PREDICTION, RECEIPT, LedgerHarness, offer
from tests.support.models import described

QUALITY = "/models/churn/versions/3/quality"
CLASSES = Signature((), named=False, frame=False, methods=("predict",), classes=(0, 1))


class Front:
    """Predictions with outcomes, and the routes over them."""

    def __init__(self, home: Path, client: redis.Redis, url: str) -> None:
        registry = Registry(home)
        registry.add("churn", described(b"model", signature=CLASSES), b"model", version=3)
        self._ledger = LedgerHarness(client).ledger
        self._ids = Ids(read_or_make_key(home / ID_KEY))
        app = create_flask(Services(Settings(home=home, redis_url=url)))
        self.http: FlaskClient = client_of(app, OWNER)

    def answered(self, *labels: int, arm: Arm | None = None, fails: bool = False) -> str:
        """The id of a prediction with these labels."""
        task_id = self._ids.new()
        prediction = replace(PREDICTION, alias="a", arm=arm)
        self._ledger.accept(offer(task_id, prediction))
        record = self._ledger.record(task_id)
        assert record
        done = record.failed(ModelError("no")) if fails else record.succeeded([*labels], RECEIPT)
        self._ledger.settle("churn:3", [Settled(done)])
        return task_id

    def told(self, task_id: str, label: object) -> object:
        return self.http.post(f"/predict/result/{task_id}/label", json={"label": label})


@pytest.fixture
def front(tmp_path: Path, client: redis.Redis, bare_redis: str) -> Front:
    return Front(tmp_path, client, bare_redis)


def test_truth_counts_once(front: Front, client: redis.Redis) -> None:
    task_id = front.answered(1, 0)
    assert front.told(task_id, [1, 1]).json == {
        "id": task_id,
        "counted": True,
        "code": "",
        "detail": "",
    }
    assert front.told(task_id, [1, 1]).json["counted"] is False
    front.told(front.answered(1), 1)
    found = front.http.get(QUALITY).json
    assert found["total"]["rows"] == 3
    assert found["total"]["accuracy"] == pytest.approx(2 / 3)
    assert found["total"]["mean_absolute_error"] is None
    assert [day["rows"] for day in found["days"]] == [3]
    for kept in client.scan_iter("predictq:quality:*"):
        assert 0 < client.ttl(kept) <= 90 * 86_400
    assert client.ttl(keys.TRUTH_TOLD + task_id) > 0


def test_many_truths_are_told_at_once(front: Front) -> None:
    right, wrong, failed = front.answered(1), front.answered(0), front.answered(fails=True)
    labels = {right: 1, wrong: 1, failed: 1, "unknown": 1}
    told = front.http.post("/predict/labels", json={"labels": labels}).json["labels"]
    assert [(each["counted"], each["code"]) for each in told] == [
        (True, ""),
        (True, ""),
        (False, "outcome_conflict"),
        (False, "prediction_not_found"),
    ]
    assert front.http.get(QUALITY).json["total"]["accuracy"] == 0.5


def test_wrong_labels_are_counted_by_arm(front: Front, client: redis.Redis) -> None:
    for key, label in (("ada", 0), ("ada", 0), ("bob", 0), ("bob", 1)):
        front.told(front.answered(1, arm=Arm.of(10, key)), label)
    (arm,) = Comparisons(client).read("churn@a").of(3)
    assert (arm.labelled, arm.wrong) == (4, 2)
    Comparisons(client).clear("churn@a")
    assert [*client.scan_iter(f"{keys.COMPARED}*")] == []


@pytest.mark.parametrize(
    ("label", "status"), [([1, 2], 422), (7, 422), ([None], 422), ("x" * 70_000, 413)]
)
def test_bad_truths_are_refused(front: Front, label: object, status: int) -> None:
    assert front.told(front.answered(1), label).status_code == status


def test_truth_of_what_has_no_prediction_is_refused(front: Front) -> None:
    assert front.told("unknown", 1).status_code == 404
    assert front.told(front.answered(fails=True), 1).status_code == 409
    assert front.http.post("/predict/labels", json={"labels": {}}).status_code == 422
    assert front.http.get("/models/churn/versions/9/quality").status_code == 404
    assert front.http.get(f"{QUALITY}?days=91").status_code == 422
