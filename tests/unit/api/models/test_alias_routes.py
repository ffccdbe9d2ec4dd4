"""The routes that change aliases and remove versions."""

from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from registry.changes import Changes
from tests.unit.api.models.registry_front import RegistryFront

ALIAS = "/models/m/aliases/production"


@pytest.fixture
def front(tmp_path: Path) -> RegistryFront:
    return RegistryFront(tmp_path)


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("PUT", ALIAS),
        ("DELETE", ALIAS),
        ("POST", "/models/m/rollback"),
        ("POST", "/models/m/keep-latest"),
        ("DELETE", "/models/m"),
        ("DELETE", "/models/m/versions/1"),
        ("GET", "/models/m/versions/1/artifact"),
        ("GET", "/models/m/versions/1/sample"),
    ],
)
def test_registry_routes_need_the_local_key(front: RegistryFront, method: str, path: str) -> None:
    body: dict[str, Any] = {} if method == "GET" else {"json": {"version": 1, "count": 1}}
    answer = front.anyone.open(path, method=method, **body)
    assert (answer.status_code, answer.json["code"]) == (401, "key_missing")
    assert [m.version for m in front.registry.versions("m")] == [1, 2, 3]


def test_alias_is_moved_deleted_and_rolled_back(front: RegistryFront) -> None:
    owner = front.owner
    moved = owner.put(ALIAS, json={"version": 1, "by": "ada", "why": "first"})
    assert (moved.json["version"], moved.json["previous"]) == (1, None)
    assert moved.headers["ETag"] == '"1"'
    assert owner.put(ALIAS, json={"version": 2, "expected": 1}).json["previous"] == 1
    assert owner.post("/models/m/rollback").json["version"] == 1
    assert owner.delete(f"{ALIAS}?expected=1&why=over").json["version"] is None
    assert front.registry.aliases("m") == {}


def test_alias_that_another_caller_moved_is_409(front: RegistryFront) -> None:
    owner = front.owner
    owner.put(ALIAS, json={"version": 1})
    for answer in (
        owner.put(ALIAS, json={"version": 3, "expected": 2}),
        owner.put(ALIAS, json={"version": 3, "expected": None}),
        owner.put(ALIAS, json={"version": 3}, headers={"If-Match": '"2"'}),
        owner.delete(f"{ALIAS}?expected=2"),
    ):
        assert (answer.status_code, answer.json["code"]) == (409, "alias_moved")
    assert owner.put(ALIAS, json={"version": 3}, headers={"If-Match": '"1"'}).status_code == 200
    assert owner.put(ALIAS, json={"version": 3}, headers={"If-Match": '"x"'}).status_code == 422


def test_alias_moved_by_two_at_once_is_moved_by_one(front: RegistryFront) -> None:
    front.owner.put(ALIAS, json={"version": 1})
    answers: list[int] = []

    def move(version: int) -> None:
        body = {"version": version, "expected": 1}
        answers.append(front.owner.put(ALIAS, json=body).status_code)

    threads = [Thread(target=move, args=(version,)) for version in (2, 3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answers) == [200, 409]


def test_removal_of_what_an_alias_means_is_409_unless_forced(front: RegistryFront) -> None:
    owner = front.owner
    owner.put(ALIAS, json={"version": 1})
    refused = owner.delete("/models/m/versions/1")
    assert (refused.status_code, refused.json["code"]) == (409, "registry_conflict")
    removed = owner.delete("/models/m/versions/1?force=true").json
    assert (removed["versions"], removed["aliases"]) == ([1], ["production"])
    assert owner.get("/models/m/versions/1").status_code == 404


def test_keep_latest_removes_older_versions(front: RegistryFront) -> None:
    owner = front.owner
    owner.put(ALIAS, json={"version": 1})
    assert owner.post("/models/m/keep-latest", json={"count": 1}).json["versions"] == [2]
    assert [m.version for m in front.registry.versions("m")] == [1, 3]


@pytest.mark.parametrize("version", ["0", "01", "x", "-1", "9" * 12, "²"])
def test_impossible_number_of_a_version_is_404(front: RegistryFront, version: str) -> None:
    answer = front.owner.delete(f"/models/m/versions/{version}")
    assert (answer.status_code, answer.json["code"]) == (404, "version_not_found")


def test_history_lists_changes_newest_first(front: RegistryFront) -> None:
    owner = front.owner
    owner.put(ALIAS, json={"version": 1, "by": "ada", "why": "first"})
    between = front.registry.history("m")[-1].time
    owner.put(ALIAS, json={"version": 2})
    page = front.anyone.get("/models/m/history?limit=2").json
    assert page["has_more"]
    assert page["aliases"] == {"production": 2}
    assert [(c["id"], c["from"], c["to"], c["by"]) for c in page["data"]] == [
        (5, 1, 2, "a caller with the local key"),
        (4, None, 1, "ada"),
    ]
    older = front.anyone.get("/models/m/history?after=4").json
    assert [c["id"] for c in older["data"]] == [3, 2, 1]
    assert not older["has_more"]
    then = front.anyone.get("/models/m/history", query_string={"at": between}).json
    assert then["aliases"]["production"] in (1, 2)  # both may lie in one millisecond
    assert front.anyone.get("/models/m/history?at=2020-01-01").json["aliases"] == {}
    assert front.anyone.get("/models/m/history?at=noon").status_code == 422


def test_artifact_is_downloaded(front: RegistryFront) -> None:
    answer = front.owner.get("/models/m/versions/2/artifact", headers={"Range": "bytes=1-"})
    assert (answer.status_code, answer.data) == (206, b"wo")
    assert front.owner.get("/models/m/versions/2/sample").status_code == 404


def test_registry_that_is_read_only_is_403(
    front: RegistryFront, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr("registry.storage.files.write_file", refuse)
    answer = front.owner.put(ALIAS, json={"version": 1})
    assert (answer.status_code, answer.json["code"]) == (403, "forbidden")
    assert "may only read its registry" in answer.json["detail"]


def test_alias_is_split_and_its_entity_tag_says_how(front: RegistryFront) -> None:
    owner, split = front.owner, {"1": 90, "2": 10}
    owner.put(ALIAS, json={"version": 1})
    answer = owner.put(ALIAS, json={"version": split, "expected": 1, "why": "a first look"})
    assert (answer.json["version"], answer.json["previous"]) == (split, 1)
    assert answer.headers["ETag"] == '"1=90,2=10"'
    stale = {"version": {"1": 50, "2": 50}, "expected": {"1": 80, "2": 20}}
    assert owner.put(ALIAS, json=stale).json["code"] == "alias_moved"
    assert front.anyone.get("/models/m").json["aliases"] == {"production": split}
    page = front.anyone.get("/models/m/history?limit=1").json
    assert (page["aliases"], page["data"][0]["from"]) == ({"production": split}, 1)
    assert page["data"][0]["to"] == split
    matching = {"If-Match": answer.headers["ETag"]}
    assert owner.put(ALIAS, json={"version": 2}, headers=matching).json["previous"] == split
    assert owner.post("/models/m/rollback").json["version"] == split
    assert owner.delete("/models/m/versions/2").json["code"] == "registry_conflict"


@pytest.mark.parametrize(
    ("version", "status", "told"),
    [
        ({"1": 90, "2": 20}, 422, "the shares of a split sum to 100, not to 110"),
        ({"1": 100}, 422, "a split has 2 to 16 versions, not 1"),
        ({"1": 50.5, "2": 49.5}, 422, "Expected `int`"),
        ({"one": 50, "2": 50}, 422, "Expected `int`"),
        ({"1": 50, "9": 50}, 404, "model 'm' has no version 9"),
    ],
)
def test_split_that_is_wrong_is_refused(
    front: RegistryFront, version: Any, status: int, told: str
) -> None:
    answer = front.owner.put(ALIAS, json={"version": version})
    assert answer.status_code == status
    assert told in answer.json["detail"]
    assert front.registry.aliases("m") == {}


def test_history_counts_the_changes_that_were_dropped(
    front: RegistryFront, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("registry.history.MAX_CHANGES", 4)
    for number in range(8):
        Changes(front.registry).set_alias("m", "moving", 1 + number % 2)
    page = front.anyone.get("/models/m/history?limit=2").json
    newest = page["data"][0]["id"]
    assert [each["id"] for each in page["data"]] == [newest, newest - 1]
    older = front.anyone.get(f"/models/m/history?after={newest - 1}").json
    assert (older["data"][-1]["act"], older["has_more"]) == ("dropped", False)
    assert older["data"][-1]["id"] == older["data"][-1]["dropped"]
    assert front.anyone.get("/models/m/history?after=1").json["data"] == []
    gone = front.anyone.get("/models/m/history?at=2020-01-01")
    assert (gone.status_code, "is no longer kept" in gone.json["detail"]) == (422, True)
