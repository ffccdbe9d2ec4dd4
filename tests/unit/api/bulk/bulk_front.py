"""A front end for bulk requests over a fake ledger."""

import asyncio
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import redis

from api.bulk.accepting import BulkServices
from api.bulk.submit import BulkSubmissions, DocumentSubmissions, NdjsonSubmissions
from api.limits.byte_budget import ByteBudget
from api.operations.request_metrics import RequestMetrics
from registry.changes import Changes
from registry.splits import Shares
from registry.store import Registry
from tasks.gateway import Gateway
from tasks.ids import Ids
from tasks.ledger.predictions.acceptance import Offer
from tasks.record import State
from tasks.settings import Settings
from telemetry.errors import (
    PredictqError,
)
from tests.support.models import described

GOOD = b'{"features":[1.0]}\n'
Verdict = Callable[[Offer], str | PredictqError]


class Ledger:
    """Decides about each offer as `verdict` says; `failure` is raised instead."""

    client = redis.Redis()

    def __init__(self) -> None:
        self.windows: list[Sequence[Offer]] = []
        self.known: dict[str, State] | None = None
        self.verdict: Verdict = lambda offer: offer.record.task_id
        self.failure: Exception | None = None

    async def accept_all_async(self, offers: Sequence[Offer]) -> list[str | PredictqError]:
        if self.failure:
            raise self.failure
        self.windows.append(offers)
        return [self.verdict(offer) for offer in offers]

    async def states(self, ids: Sequence[str]) -> list[State | None]:
        if self.known is None:
            raise redis.ConnectionError
        return [self.known.get(task_id) for task_id in ids]


class Front:
    """The ASGI applications for bulk requests, over a fake ledger."""

    def __init__(self, home: Path) -> None:
        registry = Registry(home)
        for artifact in (b"one", b"two"):
            registry.add("m", described(artifact), artifact)
        Changes(registry).set_alias("m", "fallback", 1)
        settings = Settings(home=home, redis_url="", max_rows=100, max_body_bytes=10_000)
        self.ledger: Any = Ledger()
        self.gateway = Gateway(self.ledger, Ids(b"k" * 32), settings)
        services = BulkServices(self.gateway, registry, settings, ByteBudget(10_000))
        self.submissions = BulkSubmissions(services, RequestMetrics())
        self.passed = 0
        document = DocumentSubmissions(self.submissions, self._behind)
        self.app = NdjsonSubmissions(self.submissions, document)
        self.status, self.body = 0, b""
        self._changes = Changes(registry)

    def split(self, alias: str, shares: Shares) -> None:
        """Split an alias of the model."""
        self._changes.set_alias("m", alias, shares)

    async def _behind(self, *_: Any) -> None:
        self.passed += 1

    def post(
        self,
        *pieces: bytes,
        kind: bytes = b"application/x-ndjson",
        query: bytes = b"model=m",
        before: Callable[[int], None] = lambda _: None,
        **headers: str,
    ) -> list[Any]:
        """Send pieces as chunks; returns the lines of the answer. ``before`` each, it is called."""
        left = list(enumerate(pieces))

        async def receive() -> Any:
            number, piece = left.pop(0)
            before(number)
            return {"type": "http.request", "body": piece, "more_body": bool(left)}

        async def send(event: Any) -> None:
            self.status = event.get("status", self.status)
            self.body += event.get("body", b"")

        given = [(name.replace("_", "-").encode(), text.encode()) for name, text in headers.items()]
        scope: Any = {"type": "http", "method": "POST", "path": "/predict/async"}
        scope |= {"query_string": query, "headers": [(b"content-type", kind), *given]}
        self.body = b""
        asyncio.run(asyncio.wait_for(self.app(scope, receive, send), 30))
        return [json.loads(line) for line in self.body.splitlines()]
