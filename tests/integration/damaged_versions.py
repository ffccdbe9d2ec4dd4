"""Damages and repairs artifacts, and fails versions until they are paused."""

from pathlib import Path
from typing import Any

import httpx2

from registry.store import Registry
from tests.support.stack import Json, LiveStack

ROW = [1.0, 0.0]


class Artifact:
    """The artifact of a registered version, which a test damages and repairs."""

    def __init__(self, home: Path, reference: str) -> None:
        registry = Registry(home)
        self._path = registry.artifact(registry.resolve(reference).manifest)
        self._whole = self._path.read_bytes()

    def damage(self) -> None:
        self._replace(b"damaged")

    def mend(self) -> None:
        self._replace(self._whole)

    def _replace(self, content: bytes) -> None:
        aside = self._path.with_suffix(".aside")
        aside.write_bytes(content)
        aside.replace(self._path)


def post(stack: LiveStack, model: str, features: Any = ROW, url: str = "") -> httpx2.Response:
    body = {"model": model, "features": features}
    return stack.http.post(f"{url}/predict/async", json=body)


def paused(stack: LiveStack) -> dict[str, Json]:
    return {entry["model"]: entry for entry in stack.http.get("/stats").json()["paused"]}


def fail_until_paused(stack: LiveStack, model: str) -> list[str]:
    """Submit until the version is paused; return the ids, all of which failed."""
    ids = []
    while (answer := post(stack, model)).status_code == 202:
        ids.append(answer.json()["id"])
        assert stack.outcome(ids[-1], 60)["status"] == "failed"
    assert answer.status_code == 503
    assert answer.json()["code"] == "version_paused"
    return ids
