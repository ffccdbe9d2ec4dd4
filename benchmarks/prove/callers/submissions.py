"""The callers' submissions: model, misbehaviour, and time limits."""

from typing import get_args
from urllib.parse import urlencode

import msgspec

from benchmarks.harness.wire import post
from benchmarks.prove.callers.tenants import Tenants
from benchmarks.prove.evidence import Asked
from benchmarks.prove.witness import CALM, HANGS, RAISES, row
from tasks.arrow.stream import ARROW
from tasks.arrow.writing import write_arrow
from tasks.messages import Priority

SHORT_QUEUE_SECONDS, LONG_QUEUE_SECONDS = 0.5, 600.0
"""`max_queue_seconds` of some requests; with the latter they never expire."""


CACHE_SECONDS = 20
"""For how long some requests let an answer be reused."""


class Request(msgspec.Struct, frozen=True):
    """One submission, which can be sent any number of times."""

    asked: Asked
    body: bytes
    """JSON, or an Arrow stream."""
    has_key: bool
    """Whether it has an idempotency key of its own."""
    path: str = "/predict/async"
    kind: str = "application/json"

    @classmethod
    def of(
        cls, number: int, kind: int, seconds: float, chance: float = 0.5, tenant: int = 0
    ) -> "Request":
        """Create a request. Misbehaving ones and a tenth of the others go to the second model."""
        model = "unruly" if kind not in (CALM, RAISES) or number % 10 == 0 else "steady"
        asked = Asked(
            number,
            kind,
            cancelled=kind == CALM and chance > 0.98,
            times_out=kind == HANGS and number % 2 == 0,
            queue_seconds=SHORT_QUEUE_SECONDS if number % 50 == 3 else 0.0,
            tenant=tenant,
        )
        fields = {"model": model, "features": [row(number, kind, seconds)], **_bounds(asked)}
        return cls(asked, msgspec.json.encode(fields), number % 4 == 0)

    def prioritized(self) -> "Request":
        """A copy of this request with one of the priorities, by its number."""
        priority = get_args(Priority)[self.asked.number % len(get_args(Priority))]
        fields = msgspec.json.decode(self.body) | {"priority": priority}
        return msgspec.structs.replace(self, body=msgspec.json.encode(fields))

    def reusing(self, row_of: int) -> "Request":
        """A copy of this request that may reuse an answer, with another request's row if given."""
        fields = msgspec.json.decode(self.body) | {"cache": CACHE_SECONDS}
        if row_of:
            fields["features"] = [row(row_of)]
        asked = msgspec.structs.replace(self.asked, row_of=row_of)
        return msgspec.structs.replace(self, asked=asked, body=msgspec.json.encode(fields))

    def with_webhook(self, url: str) -> "Request":
        """A copy of this request whose outcome is sent to an address."""
        fields = msgspec.json.decode(self.body) | {"webhook": {"url": url}}
        asked = msgspec.structs.replace(self.asked, has_webhook=True)
        return msgspec.structs.replace(self, asked=asked, body=msgspec.json.encode(fields))

    def content(self, tenants: Tenants) -> bytes:
        """The HTTP request."""
        key = f"Idempotency-Key: number-{self.asked.number}" if self.has_key else ""
        caller = tenants.header(self.asked.tenant)
        return post(self.path, self.body, key, caller, kind=self.kind)

    def in_arrow(self) -> "Request":
        """A copy of this request with its row as an Arrow stream."""
        fields = msgspec.json.decode(self.body)
        (features,) = fields.pop("features")
        columns = {f"x{index}": [value] for index, value in enumerate(features)}
        return msgspec.structs.replace(
            self,
            body=write_arrow(columns, {}),
            path=f"{self.path}?{urlencode(fields)}",
            kind=ARROW,
        )


class BulkRequest(msgspec.Struct, frozen=True):
    """Several submissions in one request, which can be sent any number of times."""

    requests: list[Request]

    def content(self, tenants: Tenants) -> bytes:
        """The HTTP request: NDJSON, with one key for all lines."""
        lines = b"".join(request.body + b"\n" for request in self.requests)
        first = self.requests[0].asked
        headers = f"Idempotency-Key: bulk-{first.number}", tenants.header(first.tenant)
        return post("/predict/async", lines, *headers, kind="application/x-ndjson")


def _bounds(asked: Asked) -> dict[str, float]:
    if asked.times_out:
        return {"timeout_seconds": 1.0}
    if asked.queue_seconds:
        return {"max_queue_seconds": asked.queue_seconds}
    return {"max_queue_seconds": LONG_QUEUE_SECONDS} if asked.number % 50 == 4 else {}
