"""The queues, as tables show them."""

import msgspec

from api.console.live.load_series import LoadSeries
from api.console.live.sampler import Picture
from tasks.gateway import QUEUE

SPARK_POINTS = 60
"""Points of the small line in a table: ten minutes."""
SPARK_WIDTH, SPARK_HEIGHT = 120, 24


class QueueRow(msgspec.Struct, frozen=True):
    """One queue in the table."""

    name: str
    depth: int
    oldest: float | None
    """Seconds; None if nothing waits, or the message is of a foreign producer."""
    reserved: int
    rate: float | None
    """Messages a second that leave while others wait; None until that was measured."""
    eta: float | None
    """Seconds until the queue is empty, at this rate; None while unknown."""
    workers: int
    spark: str
    """Points of a line over the last ten minutes: how many messages waited."""


def queue_rows(picture: Picture, load: LoadSeries) -> list[QueueRow]:
    """The rows of the table; none if Redis has never answered."""
    if picture.snapshot is None:
        return []
    depths = [float(point.depth) for point in load.points]
    return [
        QueueRow(
            name=name,
            depth=queue.depth,
            oldest=queue.oldest if queue.depth else None,
            reserved=queue.reserved,
            rate=queue.rate,
            eta=(queue.depth + queue.reserved) / queue.rate if queue.depth and queue.rate else None,
            workers=len(queue.workers),
            # Points are kept for all queues together, which in practice is this one.
            spark=spark_line(depths) if name == QUEUE else "",
        )
        for name, queue in picture.snapshot.queues.items()
    ]


def spark_line(values: list[float]) -> str:
    """The last values as points of an SVG polyline; empty for fewer than two."""
    shown = values[-SPARK_POINTS:]
    if len(shown) < 2:
        return ""
    greatest = max(*shown, 1.0)
    step = SPARK_WIDTH / (len(shown) - 1)
    return " ".join(
        f"{i * step:.1f},{SPARK_HEIGHT - 2 - value / greatest * (SPARK_HEIGHT - 4):.1f}"
        for i, value in enumerate(shown)
    )
