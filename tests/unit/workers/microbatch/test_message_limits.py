"""The time limit of a message: its own, else its version's, else the longest."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest

from registry.changes import Changes
from registry.manifest import Manifest
from registry.splits import chosen_version
from registry.store import Registry
from tasks.settings import Settings
from tasks.time_limits import MAX_RUN_SECONDS, MIN_RUN_SECONDS
from tests.support.models import described
from workers.microbatch.message import read_prediction


@pytest.fixture
def registry(tmp_path: Path) -> Registry:
    registry = Registry(tmp_path)
    registry.add("m", described(b"m"), b"m")
    registry.add("hasty", described(b"h", timeout_seconds=2.5), b"h")
    return registry


def limit(registry: Registry, model: str, told: Any) -> float:
    message = SimpleNamespace(
        body=b"",
        delivery_tag="t",
        content_type="application/json",
        headers={"rows": 1, "batch": f"{model}:1 predict"},
    )
    request: Any = SimpleNamespace(id="an-id", time_limits=told)
    return read_prediction(message, request, registry).limit


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        ([0.25, None], 0.25),
        ((7, 3), 7),
        ([1e-9, None], MIN_RUN_SECONDS),
        ([MIN_RUN_SECONDS / 2, None], MIN_RUN_SECONDS),
        ([1000, None], MAX_RUN_SECONDS),
        ([10**400, None], MAX_RUN_SECONDS),
        *(
            (nothing, MAX_RUN_SECONDS)
            for nothing in ([None, None], [0, 0], [-1], [True], ["2"], [], "12", {}, None, 5)
        ),
        ([float("nan")], MAX_RUN_SECONDS),
    ],
    ids=str,
)
def test_limit_of_a_message_is_clamped(registry: Registry, told: Any, expected: float) -> None:
    assert limit(registry, "m", told) == expected


def test_limit_of_its_version(registry: Registry) -> None:
    assert limit(registry, "hasty", [None, None]) == 2.5
    assert limit(registry, "hasty", [10, None]) == 10


def test_limit_of_an_old_version_is_clamped(
    registry: Registry,
) -> None:
    registry.add("rash", described(b"r", timeout_seconds=1e-9), b"r")
    assert limit(registry, "rash", [None, None]) == MIN_RUN_SECONDS


def test_manifest_without_time_limits_is_still_read(registry: Registry) -> None:
    manifest = msgspec.to_builtins(registry.resolve("m").manifest)
    del manifest["max_queue_seconds"], manifest["timeout_seconds"]
    read = msgspec.convert(manifest, Manifest)
    assert (read.max_queue_seconds, read.timeout_seconds) == (None, None)


def test_visibility_timeout_has_a_minimum(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PREDICTQ_VISIBILITY_TIMEOUT", "2")
    assert Settings.from_environment().visibility_timeout == 2
    monkeypatch.setenv("PREDICTQ_VISIBILITY_TIMEOUT", "1.9")
    with pytest.raises(ValueError, match="2"):
        Settings.from_environment()


def test_message_of_a_stock_producer_to_a_split_is_for_the_version_of_its_id(
    registry: Registry,
) -> None:
    """As `workers.compute.admission` chooses: by it, messages are gathered."""
    registry.add("m", described(b"m2"), b"m2")
    Changes(registry).set_alias("m", "split", {1: 50, 2: 50})
    body = b'[[], {"model": "m@split", "features": [1.0]}, {}]'
    message = SimpleNamespace(body=body, delivery_tag="t", content_type="json", headers={})
    found = []
    for number in range(8):
        request: Any = SimpleNamespace(id=f"id-{number}", time_limits=None)
        found.append(read_prediction(message, request, registry).reference)
    ids = [f"id-{number}".encode() for number in range(8)]
    expected = [f"m:{chosen_version('m', 'split', {1: 50, 2: 50}, task_id)}" for task_id in ids]
    assert found == expected
    assert set(found) == {"m:1", "m:2"}
