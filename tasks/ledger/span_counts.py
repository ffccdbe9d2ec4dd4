"""Counts of the spans of all processes, in Redis; and the exporters that count there."""

from typing import cast

import redis

from tasks.ledger import keys
from telemetry.tracing.exporter import Exporter, SpanResult
from telemetry.tracing.tracer import is_tracing


def exporter(process: str, client: redis.Redis) -> Exporter | None:
    """The exporter of a process; None unless the environment names a collector."""
    if not is_tracing():
        return None

    def tell(counts: dict[SpanResult, int]) -> None:
        with client.pipeline(transaction=False) as pipe:
            for result, many in counts.items():
                pipe.hincrby(keys.SPANS, result, many)
            pipe.execute()

    return Exporter(process, tell)


def span_counts(client: redis.Redis) -> dict[str, int]:
    """How many spans were exported and lost, since Redis was set up; empty without traces."""
    found = cast("dict[bytes, bytes]", client.hgetall(keys.SPANS))
    return {result.decode(): int(many) for result, many in found.items()}
