"""`client.models.register`: what is uploaded, and what becomes of it."""

import pickle
from pathlib import Path

import pandas as pd
import pytest
from sklearn.linear_model import LinearRegression
from sklearn.preprocessing import FunctionTransformer

from predictq import InvalidRequest, ModelRefused, WaitTimeout
from tests.unit.fake_server import Answer

READY = {"model": "m", "version": 3, "status": "ready", "code": "", "reason": ""}
CHECKING = READY | {"status": "checking"}
FRAME = pd.DataFrame({"a": [1.5, 2.5], "b": ["x", None]})


@pytest.fixture
def fitted():
    return LinearRegression().fit([[0.0], [1.0]], [0.0, 1.0])


def sent(server) -> bytes:
    """The form of the first request."""
    body = server.asked[0].body
    return body if isinstance(body, bytes) else str(body).encode()


def test_register_saves_an_estimator_as_skops(server, client, fitted):
    server.script(Answer(202, CHECKING), Answer(200, READY))
    found = client.models.register(
        "m", fitted, sample=FRAME, alias="production", metadata={"auc": 0.9}, classes=[1, "b"]
    )
    assert (found["version"], found["status"]) == (3, "ready")
    assert server.calls == [("POST", "/models/m/versions"), ("GET", "/models/m/versions/3")]
    form = sent(server)
    for part in (b"model.skops", b"sample.parquet", b"PAR1", b'{"auc": "0.9"}', b"1,b"):
        assert part in form
    assert b'name="trust"' not in form
    assert server.asked[0].headers["Idempotency-Key"]


def test_register_saves_what_skops_cannot_express_with_joblib(server, client):
    server.script(Answer(200, READY))
    model = FunctionTransformer(pickle.dumps).fit([[0.0]])
    client.models.register("m", model, sample=[[1.0], [2.0]], requirements="numpy", exact=True)
    form = sent(server)
    for part in (b"model.joblib", b'name="trust"', b"sample.ndjson", b"numpy", b"true"):
        assert part in form


def test_register_sends_files_as_they_are(server, client, tmp_path: Path):
    (tmp_path / "a.onnx").write_bytes(b"the model")
    (tmp_path / "rows.csv").write_text("a\n1\n")
    server.script(Answer(200, READY))
    client.models.register(
        "m", tmp_path / "a.onnx", sample=str(tmp_path / "rows.csv"), trust=True, version=3
    )
    form = sent(server)
    for part in (b"a.onnx", b"the model", b"rows.csv", b'name="trust"', b'name="version"'):
        assert part in form


def test_register_raises_the_decision_of_the_gate(server, client, fitted):
    refused = READY | {"status": "refused", "code": "model_unloadable", "reason": "it is broken"}
    server.script(Answer(200, refused))
    with pytest.raises(ModelRefused, match="it is broken"):
        client.models.register("m", fitted)


def test_register_gives_up_in_time(server, client, fitted):
    server.behave = lambda _: Answer(202, CHECKING)
    with pytest.raises(WaitTimeout, match="still checked"):
        client.models.register("m", fitted, timeout=3)


@pytest.mark.parametrize(
    ("model", "fields", "why"),
    [
        (3, {}, "a path, a fitted estimator or a dictionary"),
        ({"model": 1}, {"colour": "red"}, "there is no such field"),
        ("a.skops", {"metadata": None, "timeout": -1}, "seconds"),
    ],
    ids=["model", "field", "timeout"],
)
def test_register_names_a_wrong_argument(client, model, fields, why):
    with pytest.raises(InvalidRequest, match=why):
        client.models.register("m", model, **fields)


def test_register_of_a_missing_file_is_an_os_error(client, tmp_path: Path):
    with pytest.raises(FileNotFoundError):
        client.models.register("m", tmp_path / "absent.skops")


def test_models_are_shown_and_their_status_too(server, client):
    server.script(Answer(200, {"name": "m"}), Answer(200, READY), Answer(200, {"versions": []}))
    assert client.models.show("m") == {"name": "m"}
    assert client.models.show("m", 3) == READY
    assert client.models.status() == {"versions": []}
    assert [path for _, path in server.calls] == [
        "/models/m",
        "/models/m/versions/3",
        "/models/status",
    ]
