"""One real prediction: proof for `up` that the way is open, and a line to paste for a newcomer."""

import shlex
from pathlib import Path
from typing import Any, Self

import msgspec

from cli.stack import call
from registry.store import Registry


class Canary(msgspec.Struct, frozen=True):
    """A request that must succeed: a registered model, and a row that it is known to take."""

    model: str
    features: list[Any]

    @classmethod
    def of(cls, home: Path) -> Self | None:
        """The model whose example is the shortest; ``None`` where no model has one."""
        registry = Registry(home)
        known = [registry.resolve(name).manifest for name in registry.models()]
        requests = [cls(m.name, m.example) for m in known if m.example is not None]
        return min(requests, key=lambda request: len(request.features), default=None)

    def sings(self, port: int) -> bool:
        """Whether its prediction came back."""
        return call(port, "POST", "/predict", msgspec.json.encode(self)).status == 200

    def curl(self, url: str) -> str:
        """The same request as a command line."""
        body = shlex.quote(msgspec.json.encode(self).decode())
        return f"curl -s {url}/predict -H 'content-type: application/json' -d {body}"
