"""The registry: versions are immutable, aliases move, and readers never see stale data."""

import json
import os
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from functools import partial
from pathlib import Path

import pytest

from registry.changes import Changes
from registry.names import MAX_VERSION
from registry.storage import files
from registry.storage.directory import Directory
from registry.store import Registry
from telemetry.errors import (
    AliasNotFound,
    ArtifactMismatch,
    Invalid,
    ModelNotFound,
    PredictqError,
    RegistryConflict,
    VersionNotFound,
)
from tests.support.models import described


def add(registry: Registry, name: str, artifact: bytes, **options):
    return registry.add(name, described(artifact), artifact, **options)


def add_many(home: Path, name: str, count: int) -> list[int]:
    registry = Registry(home)
    return [add(registry, name, b"%d" % n).version for n in range(count)]


@pytest.fixture
def registry(tmp_path: Path) -> Registry:
    return Registry(tmp_path)


def test_version_is_read_back_as_it_was_added(registry, tmp_path):
    manifest = add(registry, "iris", b"one")
    again = Registry(tmp_path)
    assert again.resolve("iris").manifest == manifest == again.versions("iris")[0]
    assert again.artifact(manifest).read_bytes() == b"one"
    assert again.models() == ["iris"]


def test_references_mean_latest_version_and_alias(registry):
    add(registry, "iris", b"one", alias="production")
    add(registry, "iris", b"two")
    assert registry.resolve("iris").manifest.version == 2
    assert registry.resolve("iris:1").manifest.version == 1
    resolved = registry.resolve("iris@production")
    assert (resolved.manifest.version, resolved.alias) == (1, "production")


def test_writes_are_seen_by_another_registry_at_once(registry, tmp_path):
    reader = Registry(tmp_path)
    for number in range(1, 30):
        add(registry, "iris", b"%d" % number, alias="a")
        assert reader.resolve("iris").manifest.version == number
        assert reader.resolve("iris@a").manifest.version == number


def test_explicit_version_may_leave_a_gap(registry):
    add(registry, "iris", b"one", version=7)
    assert add(registry, "iris", b"two").version == 8
    assert [m.version for m in registry.versions("iris")] == [7, 8]


def test_version_is_immutable(registry):
    first = add(registry, "iris", b"one", version=1)
    assert add(registry, "iris", b"one", version=1) == first
    with pytest.raises(RegistryConflict, match="iris:1 exists and differs"):
        add(registry, "iris", b"two", version=1)
    with pytest.raises(RegistryConflict):
        registry.add("iris", described(b"one", metadata={"auc": "0.9"}), b"one", version=1)


def test_bytes_other_than_described_are_refused(registry):
    with pytest.raises(ArtifactMismatch):
        registry.add("iris", described(b"one"), b"two")
    assert registry.models() == []


def test_removing_the_latest_moves_back_and_never_reuses_its_number(registry):
    add(registry, "iris", b"one")
    add(registry, "iris", b"two")
    Changes(registry).remove("iris", 2)
    assert registry.resolve("iris").manifest.version == 1
    assert add(registry, "iris", b"three").version == 3
    Changes(registry).remove("iris")
    assert add(registry, "iris", b"four").version == 4


def test_removing_a_version_takes_the_aliases_that_point_there(registry):
    add(registry, "iris", b"one", alias="production")
    add(registry, "iris", b"two", alias="staging")
    removed = Changes(registry).remove("iris", 1)
    assert (removed.versions, removed.aliases) == ((1,), ("production",))
    assert registry.aliases("iris") == {"staging": 2}
    with pytest.raises(AliasNotFound, match="no alias 'production'; aliases: staging"):
        registry.resolve("iris@production")


def test_artifact_is_removed_with_its_last_version(registry, tmp_path):
    artifacts = tmp_path / "models" / "artifacts"
    add(registry, "iris", b"same")
    add(registry, "wine", b"same")
    assert len(list(artifacts.iterdir())) == 1
    Changes(registry).remove("iris")
    assert len(list(artifacts.iterdir())) == 1
    Changes(registry).remove("wine")
    assert list(artifacts.iterdir()) == []


def test_model_may_be_called_artifacts(registry):
    add(registry, "artifacts", b"one", alias="production")
    add(registry, "artifacts", b"two")
    Changes(registry).remove("artifacts", 2)
    assert registry.resolve("artifacts@production").manifest.version == 1


def test_keep_latest_spares_what_an_alias_points_to(registry):
    for artifact in (b"1", b"2", b"3", b"4"):
        add(registry, "iris", artifact)
    Changes(registry).set_alias("iris", "production", 1)
    removed = Changes(registry).keep_latest("iris", 2)
    assert (removed.versions, removed.aliases) == ((2,), ())
    assert [m.version for m in registry.versions("iris")] == [1, 3, 4]
    with pytest.raises(Invalid):
        Changes(registry).keep_latest("iris", 0)


def test_unknown_name_is_reported_with_the_known_ones(registry):
    with pytest.raises(ModelNotFound, match="there is no model 'iris'; there are no models"):
        registry.resolve("iris")
    add(registry, "wine", b"one")
    with pytest.raises(ModelNotFound, match="no model 'iris'; models: wine"):
        registry.resolve("iris")
    with pytest.raises(VersionNotFound, match="'wine' has no version 3; versions: 1"):
        registry.resolve("wine:3")
    with pytest.raises(AliasNotFound, match="no alias 'x'; it has no aliases"):
        registry.resolve("wine@x")
    with pytest.raises(VersionNotFound):
        Changes(registry).set_alias("wine", "production", 2)
    with pytest.raises(ModelNotFound):
        Changes(registry).remove("iris")


BAD = ["", "..", "../x", "a/b", "a b", ".a", "a@", "a:", "a:0", "a:x", "a@b:1", "a\n", "a" * 65]


@pytest.mark.parametrize("reference", [*BAD, None, 3, ["a"]])
def test_malformed_reference_is_invalid(registry, reference):
    with pytest.raises(Invalid) as caught:
        registry.resolve(reference)
    assert caught.value.errors[0].loc == ("model",)


@pytest.mark.parametrize("name", ["", "..", "a/b", "../../etc", ".hidden", "a\n", "a" * 65])
def test_names_do_not_lead_out_of_the_directory(registry, tmp_path, name):
    for attempt in (
        lambda: add(registry, name, b"one"),
        lambda: add(registry, "iris", b"one", alias=name),
        lambda: registry.versions(name),
        lambda: Changes(registry).remove(name),
    ):
        with pytest.raises(Invalid):
            attempt()
    assert not any(path.is_file() and path.name[0] != "." for path in tmp_path.rglob("*"))


def test_concurrent_additions_lose_nothing(tmp_path):
    with ProcessPoolExecutor(2) as processes, ThreadPoolExecutor(2) as threads:
        running = [
            pool.submit(partial(add_many, tmp_path, "iris", 10))
            for pool in (processes, processes, threads, threads)
        ]
        given = sorted(number for future in running for number in future.result())
    assert given == list(range(1, 41))
    assert [m.version for m in Registry(tmp_path).versions("iris")] == given


@pytest.fixture
def looks(monkeypatch):
    """The checks for changes made so far."""
    taken, look = [], Directory.stamp
    monkeypatch.setattr(Directory, "stamp", lambda self: taken.append(self) or look(self))
    return taken


def test_resolving_again_costs_one_stat(registry, looks):
    add(registry, "iris", b"one", alias="production")
    registry.resolve("iris@production")
    looks.clear()
    for _ in range(100):
        registry.resolve("iris@production")
    assert len(looks) == 100


def test_unknown_name_does_not_list_the_registry(registry, monkeypatch):
    """Otherwise requests for invented names would read the whole registry each time."""
    add(registry, "iris", b"one")
    listed, names = [], Directory.names
    monkeypatch.setattr(Directory, "names", lambda self: listed.append(self) or names(self))
    for number in range(10):
        with pytest.raises(ModelNotFound):
            registry.resolve(f"invented-{number}")
    assert len(listed) == 1
    add(registry, "wine", b"two")
    with pytest.raises(ModelNotFound, match="wine"):
        registry.resolve("wines")


def test_registry_knows_versions_without_reading_them(registry, tmp_path):
    add(registry, "iris", b"one")
    assert not registry.knows("iris")
    registry.resolve("iris")
    assert registry.knows("iris")
    add(Registry(tmp_path), "iris", b"two")
    assert not registry.knows("iris"), "it may mean another version now"


def test_registry_looks_for_unknown_versions(registry, tmp_path, looks):
    add(registry, "iris", b"one", alias="production")
    reader = Registry(tmp_path, recheck_seconds=3600)
    first = reader.resolve("iris@production")
    looks.clear()
    assert reader.resolve("iris@production") == first
    assert reader.knows("iris@production")
    assert looks == []
    add(registry, "iris", b"two", alias="production")
    assert reader.resolve("iris:2").manifest.version == 2, "it came since"
    assert reader.resolve("iris@production").manifest.version == 2, "and so did all that is new"


def test_version_number_is_never_reused_for_another_artifact(registry):
    add(registry, "iris", b"one", version=7)
    Changes(registry).remove("iris", 7)
    with pytest.raises(RegistryConflict, match="iris:7 was another artifact before its removal"):
        add(registry, "iris", b"two", version=7)
    assert add(registry, "iris", b"one", version=7).version == 7
    assert add(registry, "iris", b"two", version=3).version == 3


def test_registry_has_removed_names_removed_versions(registry):
    add(registry, "m", b"one")
    add(registry, "m", b"two")
    assert not registry.has_removed("m:1")
    Changes(registry).remove("m", 1)
    assert registry.has_removed("m:1")
    assert not any(map(registry.has_removed, ("m:2", "m:3", "nobody:1", "m", "", "no body:1")))
    add(registry, "m", b"one", version=1)
    assert not registry.has_removed("m:1")
    Changes(registry).remove("m")
    assert all(map(registry.has_removed, ("m:1", "m:2")))


@pytest.mark.parametrize("file", ["versions/1.json", "aliases.json"])
def test_broken_file_breaks_only_its_model(registry, tmp_path, file):
    add(registry, "iris", b"one", alias="production")
    add(registry, "multi", b"two", alias="production")
    (tmp_path / "models" / "multi" / file).write_text("{")
    again = Registry(tmp_path)
    with pytest.raises(PredictqError, match=f"file multi/{file} is broken") as caught:
        again.resolve("multi")
    assert str(tmp_path) not in caught.value.message
    assert again.models() == ["iris"]
    Changes(again).remove("iris")
    assert len(list((tmp_path / "models" / "artifacts").iterdir())) == 2


@pytest.mark.parametrize(
    "number", [10**400, 0, -1, MAX_VERSION + 1], ids=["huge", "zero", "negative", "ten digits"]
)
def test_manifest_with_an_impossible_version_is_broken(registry, tmp_path, number):
    add(registry, "iris", b"one")
    path = tmp_path / "models" / "iris" / "versions" / "1.json"
    content = json.loads(path.read_text()) | {"version": number}
    path.write_text(json.dumps(content))
    with pytest.raises(PredictqError, match="file iris/versions/1.json is broken"):
        Registry(tmp_path).resolve("iris")


def test_home_is_created_for_its_owner_alone(tmp_path: Path) -> None:
    before = os.umask(0o022)
    try:
        files.write_file(tmp_path / "home" / "models" / "m", b"")
    finally:
        os.umask(before)
    assert (tmp_path / "home").stat().st_mode & 0o777 == 0o700
