"""Sends rows in requests, a few at a time, and gives the predictions in the rows' order."""

import uuid
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from cli.failure import Failure
from cli.progress import GLANCE, Progress
from cli.rows import Row
from predictq import Client, Detail, Pending, PredictqError, ProblemError

__all__ = ["Failure", "predictions"]
ROWS = 1_000
"""Rows in one request."""
WINDOW = 4
"""Requests in flight: enough to keep workers busy, too few to fill a queue."""


@dataclass(frozen=True)
class Sent:
    """Rows on their way."""

    rows: Sequence[Row]
    pending: Pending

    @property
    def places(self) -> str:
        first, last = self.rows[0].place, self.rows[-1].place
        return first if first == last else f"{first} to {last}"


def predictions(
    client: Client, model: str, method: str, rows: Sequence[Row], **clocks: float | None
) -> Iterator[Any]:
    """One prediction a row, in order; raises `Failure`, which names places in the file.

    ``clocks``: ``max_queue_seconds`` and ``timeout_seconds`` of `Client.submit`.
    """
    flying: deque[Sent] = deque()
    with Progress(len(rows)) as progress:
        for start in range(0, len(rows), ROWS):
            if len(flying) == WINDOW:
                yield from _land(client, flying.popleft(), progress)
            flying.append(_send(client, model, method, rows[start : start + ROWS], clocks))
        while flying:
            yield from _land(client, flying.popleft(), progress)


def _send(
    client: Client,
    model: str,
    method: str,
    rows: Sequence[Row],
    clocks: dict[str, float | None],
) -> Sent:
    features = [row.value for row in rows]
    key = uuid.uuid4().hex
    try:
        pending = client.submit(model, features, method=method, idempotency_key=key, **clocks)
    except ProblemError as error:
        faults = (_fault(detail, rows) for detail in error.errors)
        raise Failure("\n".join(faults) or str(error)) from error
    return Sent(rows, pending)


def _fault(detail: Detail, rows: Sequence[Row]) -> str:
    """The server counts rows of the request from 0; the user knows places in the file."""
    if detail.row is None or detail.row >= len(rows):
        return detail.msg
    rest = detail.msg.removeprefix(f"row {detail.row}")
    place = rows[detail.row].place
    return f"{place}: {rest}" if rest == detail.msg else f"{place}{rest}"


def _land(client: Client, sent: Sent, progress: Progress) -> list[Any]:
    try:
        while isinstance(outcome := client.result(sent.pending.id, wait=GLANCE), Pending):
            progress.advance(0)
    except PredictqError as error:
        raise Failure(f"{sent.places}: {error}") from error
    progress.advance(len(sent.rows))
    return outcome.predictions
