"""Pictures of stacks that tests of the console's view models start from."""

from typing import Any

import msgspec

from api.console.live.sampler import Picture
from api.console.live.snapshot import StackSnapshot
from tasks.alerts.watching.states import AlertState
from tasks.ledger.pauses.pauses import Paused
from tasks.ledger.queue.queue_snapshot import QueueSnapshot
from tasks.ledger.statistics import BUCKETS, Statistics

WORKER = {"name": "celery@host", "processes": 2, "loaded": ["iris:1"], "queues": ["predict"]}


def queue(**changed: Any) -> QueueSnapshot:
    calm = QueueSnapshot(
        **dict.fromkeys(("depth", "rows", "taken", "reserved"), 0),
        rate=None,
        oldest=None,
        workers=[WORKER],
        paused=frozenset(),
    )
    return msgspec.structs.replace(calm, **changed)


def statistics(succeeded: int, failed: int = 0, bucket: int = 10) -> Statistics:
    histogram = [0] * (len(BUCKETS) + 1)
    histogram[bucket] = succeeded + failed
    return Statistics(
        model="iris",
        version=1,
        outcomes={"succeeded": succeeded, "failed": failed, "cancelled": 0, "expired": 0},
        rows=succeeded,
        seconds=0.0,
        histogram=tuple(histogram),
    )


def snapshot(**changed: Any) -> StackSnapshot:
    calm = StackSnapshot(
        at=1000.0,
        queues={"predict": queue(), "bulk": queue()},
        workers=[WORKER],
        paused=[],
        dead_letters=0,
        statistics=[],
        alerts=[],
        is_watched=True,
    )
    return msgspec.structs.replace(calm, **changed)


def picture(away_since: float | None = None, **changed: Any) -> Picture:
    return Picture(snapshot(**changed), None, away_since)


def alert(name: str, **changed: Any) -> AlertState:
    state = AlertState(name=name, value=1.0, since=900.0, level="firing")
    return msgspec.structs.replace(state, **changed)


def pause(**changed: Any) -> Paused:
    made = Paused(
        model="iris:1", parked=0, trigger="failures", code="x", reason="it raises", since=1.0
    )
    return msgspec.structs.replace(made, **changed)
