"""What a queue asks of the processes of its workers now."""

from typing import Any

import msgspec

from tasks.ledger.queue.queue_snapshot import QueueSnapshot


class Work(msgspec.Struct, frozen=True):
    """What one worker computes, in its heartbeat."""

    busy: float = 0.0
    """Processes that computed at the same time, on average over the last seconds."""
    rows_per_second: float | None = None
    """Rows that one process computes in a second; None until a microbatch has ended."""
    rows_waiting: int = 0
    """Rows that the worker holds, and that no process computes yet."""
    messages_waiting: int = 0
    """The messages of these rows."""
    rows_computing: int = 0


class Demand(msgspec.Struct, frozen=True, kw_only=True):
    """The demand of one queue, over all of its workers."""

    workers: int
    """Live workers of the queue, including those that load their first models."""
    processes: int
    """Processes that are ready to compute, or computing."""
    busy: float
    """Processes that computed at the same time, on average over the last seconds."""
    rows_waiting: int
    """Rows that no process computes yet, in the queue and in workers."""
    messages_waiting: int
    """The messages of these rows; each is computed by one process."""
    rows_computing: int
    rows_per_second: float | None
    """Rows that one process computes in a second; null until that was measured."""


def demand_of(queue: QueueSnapshot) -> Demand:
    """The demand of a queue, by its snapshot and the heartbeats of its workers."""
    works = [msgspec.convert(worker.get("work", {}), Work) for worker in queue.workers]
    waiting = queue.depth + sum(work.messages_waiting for work in works)
    # Messages of stock producers do not tell their rows.
    queued = max(queue.rows, queue.depth)
    return Demand(
        workers=len(works),
        processes=sum(worker["processes"] for worker in queue.workers),
        busy=round(sum(work.busy for work in works), 3),
        rows_waiting=queued + sum(work.rows_waiting for work in works),
        messages_waiting=waiting,
        rows_computing=sum(work.rows_computing for work in works),
        rows_per_second=_speed(queue.workers, works),
    )


def _speed(workers: list[dict[str, Any]], works: list[Work]) -> float | None:
    """Rows a second of one process, averaged over the processes whose speed is known."""
    known: list[tuple[int, float]] = [
        (worker["processes"], work.rows_per_second)
        for worker, work in zip(workers, works, strict=True)
        if worker["processes"] and work.rows_per_second
    ]
    if not known:
        return None
    return round(sum(n * speed for n, speed in known) / sum(n for n, _ in known), 3)
