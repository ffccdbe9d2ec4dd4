"""Models are uploaded to a running stack, checked by its gate, and answer."""

import pickle
import threading
from typing import Any

import pandas as pd
import pytest
from click.testing import CliRunner
from sklearn.datasets import load_iris
from sklearn.dummy import DummyClassifier
from sklearn.linear_model import LogisticRegression

from cli.models.commands import models
from predictq import Client, ModelRefused
from tests.support.stack import Json, LiveStack, until

pytestmark = pytest.mark.slow
ROWS = load_iris().data[::10]
CSV = "a,b,c,d\n" + "\n".join(",".join(map(str, row)) for row in ROWS.tolist())
WAITING = {"Prefer": "wait=30"}


def upload(stack: LiveStack, name: str, content: bytes, **more: Any) -> Any:
    """Upload a model file with a sample."""
    files = {"file": ("m.bin", content), "sample": ("rows.csv", CSV.encode())}
    return stack.http.post(f"/models/{name}/versions", files=files, **more)


def decided(stack: LiveStack, location: str) -> Json:
    """The state of an uploaded version once its gate has decided."""

    def look() -> Json | None:
        state: Json = stack.http.get(location).json()
        return None if state["status"] == "checking" else state

    return until(look, f"a decision on {location}", 120)


def test_upload_becomes_a_version_that_answers(trusting: LiveStack, content: bytes) -> None:
    fields = {"metadata": '{"auc": "0.9"}', "alias": "production", "by": "ada"}
    key = {"Idempotency-Key": "first"}
    answer = upload(trusting, "flower", content, data=fields, headers=key)
    assert answer.status_code == 202
    assert (answer.json()["version"], answer.json()["status"]) == (1, "checking")
    location = answer.headers["location"]
    assert location == "/models/flower/versions/1"
    again = upload(trusting, "flower", content, data=fields, headers=key)
    assert again.json()["version"] == 1
    other = upload(trusting, "flower", content + b" ", data=fields, headers=key)
    assert other.json()["code"] == "idempotency_conflict"
    assert decided(trusting, location)["metadata"] == {"auc": "0.9"}
    outcome = trusting.http.post(
        "/predict", json={"model": "flower@production", "features": ROWS[0].tolist()}
    )
    assert outcome.json()["predictions"] == [0]
    history = trusting.http.get("/models/flower/history").json()["data"]
    assert {(c["act"], c["by"]) for c in history} == {("registered", "ada"), ("alias", "ada")}


@pytest.mark.parametrize(
    ("content_", "code"),
    [(b"no model at all", "model_unloadable"), (b"PK\x03\x04 broken", "model_unloadable")],
    ids=["text", "broken archive"],
)
def test_upload_of_no_model_is_refused(trusting: LiveStack, content_: bytes, code: str) -> None:
    answer = upload(trusting, "broken", content_, headers=WAITING)
    state = decided(trusting, answer.headers["location"])
    assert (state["status"], state["code"]) == ("refused", code)
    assert str(trusting.home) not in state["reason"]


def test_upload_of_a_pickle_needs_trust(trusting: LiveStack, fitted: LogisticRegression) -> None:
    content = pickle.dumps(fitted)
    refused = decided(trusting, upload(trusting, "pickled", content).headers["location"])
    assert (refused["status"], refused["code"]) == ("refused", "untrusted_artifact")
    trusted = upload(trusting, "pickled", content, data={"trust": "true"})
    assert decided(trusting, trusted.headers["location"])["status"] == "ready"
    assert trusting.predict("pickled", ROWS[0].tolist()) == [0]


def test_client_registers_an_estimator_with_its_sample(
    owner: Client, fitted: LogisticRegression
) -> None:
    sample = pd.DataFrame(ROWS, columns=list("abcd"))
    made = owner.models.register("notebook", fitted, sample=sample, alias="staging")
    assert (made["model"], made["version"], made["status"]) == ("notebook", 1, "ready")
    assert owner.predict("notebook@staging", sample[:2]).predictions == [0, 0]
    assert owner.models.sample("notebook", 1)["columns"] == list("abcd")
    with pytest.raises(ModelRefused):
        owner.models.register("notebook", fitted, sample=sample.astype(str) + "x")


@pytest.mark.parametrize("killed", ["bulk", "api", "redis"])
def test_registration_goes_on_after_a_kill(
    trusting: LiveStack, content: bytes, killed: str
) -> None:
    answer = upload(trusting, f"survivor-{killed}", content)
    trusting.kill(killed)
    trusting.start(killed)
    assert decided(trusting, answer.headers["location"])["status"] == "ready"


def test_upload_waits_for_a_worker_that_checks_models(trusting: LiveStack, content: bytes) -> None:
    trusting.stop("bulk")
    try:
        answer = upload(trusting, "patient", content)
        location = answer.headers["location"]
        until(
            lambda: trusting.http.get(location).json().get("waiting_for") == "no_worker",
            "that it waits for a worker",
        )
    finally:
        trusting.start("bulk")
    assert decided(trusting, location)["status"] == "ready"


def test_model_in_the_path_answers_as_in_the_body(trusting: LiveStack) -> None:
    rows = [[5.1, 3.5, 1.4, 0.2]]
    for path in (
        "/models/iris/predict",
        "/models/iris/versions/1/predict",
        "/models/iris:1/predict",
    ):
        answer = trusting.http.post(path, json={"features": rows})
        assert answer.status_code == 200, answer.text
        assert answer.json()["predictions"] == [0]
        assert answer.json()["receipt"]["version"] == 1
    other = trusting.http.post("/models/iris/predict", json={"model": "m", "features": rows})
    assert (other.status_code, other.json()["code"]) == (422, "invalid")
    missing = trusting.http.post("/models/iris/versions/9/predict", json={"features": rows})
    assert missing.json()["code"] == "version_not_found"


def test_status_of_models_says_who_holds_what(trusting: LiveStack) -> None:
    assert trusting.predict("iris", [[5.1, 3.5, 1.4, 0.2]]) == [0]

    def held() -> Json | None:
        status = trusting.http.get("/models/status").json()
        (iris,) = [v for v in status["versions"] if v["model"] == "iris"]
        return iris if iris["workers"] and iris["outcomes"].get("succeeded") else None

    iris = until(held, "a worker that holds iris")
    assert (iris["status"], iris["is_latest"], iris["error_rate"]) == ("ready", True, 0.0)
    assert iris["p50_seconds"] > 0
    shown = CliRunner().invoke(models, ["status", "--url", trusting.url]).output.splitlines()
    (line,) = [line for line in shown if line.startswith("iris:1 ")]
    assert line.split()[1:3] == ["ready", "-"]


@pytest.mark.parametrize("moves", [100, pytest.param(1000, marks=pytest.mark.exhaustive)])
def test_alias_that_is_moved_under_load_names_the_version_that_answers(
    trusting: LiveStack, owner: Client, moves: int
) -> None:
    """Each answer is that of the version in its receipt, which differs from the others."""
    for version in (1, 2):
        model = DummyClassifier(strategy="constant", constant=version)
        model.fit(ROWS, [1, 2] + [1] * (len(ROWS) - 2))
        owner.models.register(f"moved-{moves}", model, version=version)
    owner.models.set_alias(f"moved-{moves}", "live", 1)
    over, wrong, asked = threading.Event(), list[Any](), list[int]()

    def ask() -> None:
        with Client(trusting.url) as client:
            while not over.is_set():
                answer = client.predict(f"moved-{moves}@live", ROWS[0])
                asked.append(answer.receipt.version)
                if answer.predictions != [answer.receipt.version]:
                    wrong.append(answer)

    threads = [threading.Thread(target=ask) for _ in range(2)]
    for thread in threads:
        thread.start()
    try:
        for move in range(moves):
            owner.models.set_alias(f"moved-{moves}", "live", 2 - move % 2, expected=1 + move % 2)
    finally:
        over.set()
        for thread in threads:
            thread.join()
    assert wrong == []
    assert asked
    assert {*asked} <= {1, 2}


def test_version_that_queued_work_needs_is_deleted_with_a_clear_outcome(
    trusting: LiveStack, owner: Client, fitted: LogisticRegression
) -> None:
    owner.models.register("doomed", fitted)
    with trusting.frozen("worker"):
        queued = owner.submit("doomed", ROWS[0])
        owner.models.remove("doomed", 1)
    outcome = trusting.outcome(queued.id)
    assert outcome["status"] == "failed"
    assert outcome["error"]["code"] in ("version_not_found", "model_not_found")
