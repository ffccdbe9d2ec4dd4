"""The protocol's routes over a registry, with a Redis that is away."""

from pathlib import Path
from typing import Any

import pytest

from api.models.load_routes import LoadState, LoadViews
from api.open_inference.availability import Now
from registry.changes import Changes
from registry.manifest import Manifest
from registry.readiness import Readiness
from registry.store import Registry
from tests.support.models import described
from tests.unit.api.models.registry_front import RegistryFront

PATH = "/v2/models/m/infer"
ROW = {"name": "x0", "shape": [1], "datatype": "FP64", "data": [1.0]}


@pytest.fixture(scope="module")
def front(tmp_path_factory: pytest.TempPathFactory) -> RegistryFront:
    home: Path = tmp_path_factory.mktemp("home")
    front = RegistryFront(home)
    refused = Readiness("refused", "it is wrong")
    front.registry.add("m", described(b"bad"), b"bad", state=refused)
    return front


def infer(front: RegistryFront, body: Any, path: str = PATH, **head: str) -> Any:
    return front.anyone.post(path, json=body, headers=head)


def test_server_names_itself_and_its_extensions(front: RegistryFront) -> None:
    told = front.anyone.get("/v2").get_json()
    assert told["name"] == "predictq"
    assert told["extensions"] == ["binary_tensor_data", "model_repository", "parameters"]


def test_live_server_without_redis_is_not_ready(front: RegistryFront) -> None:
    assert front.anyone.get("/v2/health/live").get_json() == {"live": True, "ready": True}
    for path in ("/v2/health/ready", "/v2/models/m/ready"):
        answer = front.anyone.get(path)
        assert (answer.status_code, answer.get_json()["code"]) == (503, "unavailable")


def test_metadata_is_that_of_the_version(front: RegistryFront) -> None:
    told = front.anyone.get("/v2/models/m/versions/1").get_json()
    assert (told["name"], told["versions"], told["platform"]) == ("m", ["1", "2", "3"], "skops")
    assert told["inputs"] == [{"name": "features", "datatype": "FP64", "shape": [-1, 1]}]
    # Its labels are a text, a number and a boolean, which have no datatype in common.
    assert told["outputs"] == [{"name": "predict", "datatype": "BYTES", "shape": [-1]}]


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("/v2/models/nothing", 404, "model_not_found"),
        ("/v2/models/m/versions/9", 404, "version_not_found"),
        ("/v2/models/m/versions/x", 422, "invalid"),
        ("/v2/models/m@staging/ready", 404, "alias_not_found"),
    ],
)
def test_unknown_model_or_version_is_not_found(
    front: RegistryFront, path: str, status: int, code: str
) -> None:
    answer = front.anyone.get(path)
    assert (answer.status_code, answer.get_json()["code"]) == (status, code)


@pytest.mark.parametrize(
    ("body", "path"),
    [
        ({"inputs": [ROW]}, PATH),
        ({"inputs": [ROW]}, "/v2/models/m/versions/1/infer"),
        (
            {"inputs": [ROW | {"parameters": {"x": 1}}], "parameters": {"y": 1}},
            PATH,
        ),
        ({"inputs": [ROW], "outputs": [{"name": "predict"}]}, PATH),
        ({"inputs": [ROW], "parameters": {"async": True, "timeout": 1}}, PATH),
    ],
    ids=["plain", "version", "unknown parameters", "output", "async"],
)
def test_right_inference_reaches_the_queue(front: RegistryFront, body: Any, path: str) -> None:
    answer = infer(front, body, path)
    assert (answer.status_code, answer.get_json()["code"]) == (503, "unavailable")


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ({"inputs": [ROW], "outputs": [{"name": "predict_proba"}]}, "has no method"),
        ({"inputs": [ROW], "outputs": [{"name": "predict"}] * 2}, "requested twice"),
        ({"inputs": [ROW | {"data": ["1"], "datatype": "BYTES"}]}, "expected a number, got"),
        ({"inputs": [ROW], "id": "x" * 300}, "length <= 256"),
        ({"inputs": [ROW], "outputs": [{"name": "predict"}] * 9}, "length <= 8"),
        ({"inputs": [ROW], "parameters": {"timeout": 10**15}}, "<= "),
        ([], "Expected `object`"),
    ],
)
def test_wrong_inference_is_refused(front: RegistryFront, body: Any, told: str) -> None:
    answer = infer(front, body)
    assert answer.status_code == 422
    assert told in answer.get_json()["detail"]
    # Rows have no place `features` in a request of the protocol.
    assert "features" not in str(answer.get_json()["errors"])


def test_inference_takes_json_with_or_without_its_content_type(front: RegistryFront) -> None:
    for kind, status in (("", 400), ("application/octet-stream", 400), ("text/plain", 415)):
        answer = front.anyone.post(PATH, data=b"{", content_type=kind)
        assert answer.status_code == status


@pytest.mark.parametrize("path", ["models/m/load", "models/m/unload"])
def test_load_and_unload_of_the_repository_need_the_local_key(
    front: RegistryFront, path: str
) -> None:
    assert front.anyone.post(f"/v2/repository/{path}").status_code == 401
    # No Redis, so no worker.
    assert front.owner.post(f"/v2/repository/{path}").get_json()["code"] == "unavailable"


def test_load_of_a_split_reaches_each_of_its_versions(
    front: RegistryFront, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[tuple[str, bool]] = []

    def tell(_: LoadViews, manifest: Manifest, *, loads: bool) -> LoadState:
        told.append((manifest.reference, loads))
        return LoadState(model=manifest.reference, loaded=loads, workers=["w"], waiting_for=[])

    monkeypatch.setattr(LoadViews, "tell_workers", tell)
    changes = Changes(front.registry)
    changes.set_alias("m", "split", {1: 20, 2: 80})
    try:
        answer = front.owner.post("/v2/repository/models/m@split/load")
    finally:
        changes.remove_alias("m", "split")
    assert answer.get_json()["model"] == "m:2"
    assert told == [("m:2", True), ("m:1", True)]


def test_load_takes_no_files(front: RegistryFront) -> None:
    body = {"parameters": {"config": "{}", "file:1/model.joblib": "AA=="}}
    answer = front.owner.post("/v2/repository/models/m/load", json=body)
    assert answer.status_code == 422
    assert "/models/<name>/versions" in answer.get_json()["detail"]


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("/models/m/versions/1/load", 503, "unavailable"),
        ("/models/m/versions/1/unload", 503, "unavailable"),
        ("/models/m/versions/4/load", 503, "version_not_ready"),
        ("/models/m/versions/9/load", 404, "version_not_found"),
        ("/models/m/versions/x/unload", 404, "version_not_found"),
    ],
)
def test_only_versions_that_are_ready_are_loaded(
    front: RegistryFront, path: str, status: int, code: str
) -> None:
    answer = front.owner.post(path)
    assert (answer.status_code, answer.get_json()["code"]) == (status, code)
    assert front.anyone.post(path).status_code == 401


def test_index_leaves_out_a_model_that_is_removed_meanwhile(
    front: RegistryFront, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = Now(frozenset(), frozenset())
    monkeypatch.setattr("api.open_inference.availability.Availability.now", lambda _: now)
    monkeypatch.setattr(Registry, "models", lambda _: ["removed", "m"])
    listed = front.anyone.post("/v2/repository/index").get_json()
    assert {each["name"] for each in listed} == {"m"}
