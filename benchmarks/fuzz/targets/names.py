"""Targets: names, ids and manifests."""

from pathlib import Path

import msgspec

from benchmarks.fuzz.target import Parse, Target, plain
from benchmarks.fuzz.targets import world
from registry import names
from tasks.ids import Ids

REFERENCES = (b"mixed", b"mixed@best", b"numbers:1", b"a.b-c_D@e.f", b"m:999999999")
IDS = Ids(b"k" * 32)


def _resolved(home: Path) -> Parse:
    registry = world.registry(home)
    return lambda text: registry.resolve(text.decode("utf-8", "surrogateescape"))


def _manifests(home: Path) -> Parse:
    registry = world.registry(home)
    path = home / "models" / "mixed" / "versions" / "1.json"

    def read(content: bytes) -> object:
        path.write_bytes(content)
        registry.forget()
        return registry.versions("mixed")

    return read


def _manifest() -> bytes:
    fields = {"name": "mixed", "version": 1, "created_at": "2026-11-29T10:00:00.000Z"}
    told = {"sha256": "0" * 64, "format": "skops", "trusted": False, "size": 1, "estimator": "E"}
    empty = {"parameters": {}, "libraries": {}, "metadata": {}, "example": [1, None]}
    return msgspec.json.encode({**fields, **told, **empty, "signature": world.MIXED})


TARGETS = (
    Target("reference", REFERENCES, _resolved),
    Target("manifest", (_manifest(),), _manifests),
    plain("name", REFERENCES, lambda text: names.checked_name(text.decode("latin-1"))),
    plain("id", (IDS.new().encode(),), lambda text: IDS.created_at(text.decode("latin-1"))),
)
