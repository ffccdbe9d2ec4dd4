"""Sends rows in requests, a few at a time, and gives the predictions in the rows' order."""

import uuid
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from cli.failure import Failure
from cli.predict.progress import REFRESH_INTERVAL, Progress
from cli.predict.rows import Row
from predictq import Client, Detail, Pending, PredictionFailed, PredictqError, ProblemError

__all__ = ["Failure", "predictions"]
ROWS_PER_WINDOW = 1_000
"""Rows in one request."""
WINDOW = 4
"""Requests in flight: enough to keep workers busy, too few to fill a queue."""
SHOWN_FAILURES = 20
"""Rows that are told where none is answered."""


class Fault(str):
    """Why a row has no prediction, with its place."""

    __slots__ = ()


@dataclass(frozen=True)
class Sent:
    """Rows on their way."""

    rows: Sequence[Row]
    faults: dict[int, Fault]
    """Of those that are not: their positions."""
    pending: Pending | None
    """None where that are all."""

    @property
    def good(self) -> list[Row]:
        return [row for place, row in enumerate(self.rows) if place not in self.faults]

    @property
    def places(self) -> str:
        first, last = self.good[0].place, self.good[-1].place
        return first if first == last else f"{first} to {last}"


def predictions(
    client: Client, model: str, rows: Sequence[Row], method: str, **clocks: float | None
) -> Iterator[Any]:
    """A prediction or a `Fault` a row, in order.

    ``clocks``: ``max_queue_seconds`` and ``timeout_seconds`` of `Client.submit`. Raises `Failure`,
    which names places in the file, where no row is to blame, or all of the first ones are.
    """
    with Progress(len(rows)) as progress:
        flight = WindowedPredict(client, model, {"method": method, **clocks}, progress)
        for number, answers in enumerate(_landings(flight, rows)):
            if not number:
                _refuse_hopeless(answers)
            progress.advance(len(answers))
            yield from answers


def _landings(flight: "WindowedPredict", rows: Sequence[Row]) -> Iterator[list[Any]]:
    """What came of each request."""
    flying: deque[Sent] = deque()
    for start in range(0, len(rows), ROWS_PER_WINDOW):
        if len(flying) == WINDOW:
            yield flight.land(flying.popleft())
        flying.append(flight.send(rows[start : start + ROWS_PER_WINDOW]))
    while flying:
        yield flight.land(flying.popleft())


class WindowedPredict:
    """Sends rows, and finds those that cannot be answered, so that the others are."""

    def __init__(
        self, client: Client, model: str, asked: dict[str, Any], progress: Progress
    ) -> None:
        self._client, self._model, self._asked = client, model, asked
        self._progress = progress

    def send(self, rows: Sequence[Row]) -> Sent:
        """Submit rows but those that are refused; raises `Failure` where no row is to blame."""
        faults = {n: Fault(f"{row.place}: {row.fault}") for n, row in enumerate(rows) if row.fault}
        while len(faults) < len(rows):
            good = [place for place in range(len(rows)) if place not in faults]
            sent = [rows[place] for place in good]
            try:
                return Sent(rows, faults, self._submit(sent))
            except ProblemError as error:
                faults |= {good[row]: fault for row, fault in _refused(error, sent).items()}
        return Sent(rows, faults, None)

    def land(self, sent: Sent) -> list[Any]:
        """Wait for what came of all rows, in order; raises `Failure`."""
        answers = iter(self._answers(sent, sent.pending) if sent.pending else ())
        return [sent.faults.get(n) or next(answers) for n in range(len(sent.rows))]

    def _submit(self, rows: Sequence[Row]) -> Pending:
        features, key = [row.value for row in rows], uuid.uuid4().hex
        return self._client.submit(self._model, features, idempotency_key=key, **self._asked)

    def _answers(self, sent: Sent, pending: Pending) -> list[Any]:
        """Those of the rows that were sent; of rows for which the model raises, halves are sent."""
        rows = sent.good
        try:
            return self._wait(pending)
        except PredictionFailed as error:
            if error.code != "model_error":
                raise Failure(f"{sent.places}: {error}") from error
            if len(rows) == 1:
                return [Fault(f"{rows[0].place}: {error}")]
        except PredictqError as error:
            raise Failure(f"{sent.places}: {error}") from error
        half = len(rows) // 2
        halves = [self.send(some) for some in (rows[:half], rows[half:])]
        return [answer for one in halves for answer in self.land(one)]

    def _wait(self, pending: Pending) -> list[Any]:
        while isinstance(
            outcome := self._client.result(pending.id, wait=REFRESH_INTERVAL), Pending
        ):
            self._progress.advance(0)
        return outcome.predictions


def _refuse_hopeless(answers: Sequence[Any]) -> None:
    """Where no row of the first request is answered, it is another file, or a broken model."""
    if all(isinstance(answer, Fault) for answer in answers):
        what = f"none of {len(answers):,} rows can be answered"
        raise Failure("\n".join([*answers[:SHOWN_FAILURES], *([what] if len(answers) > 1 else [])]))


def _refused(error: ProblemError, rows: Sequence[Row]) -> dict[int, Fault]:
    """The rows that a problem names, by position; raises `Failure` where it is not theirs alone."""
    told: dict[int, list[str]] = {}
    for detail in error.errors:
        told.setdefault(-1 if detail.row is None else detail.row, []).append(_fault(detail, rows))
    if not told or not all(row in range(len(rows)) for row in told):
        raise Failure("\n".join(line for lines in told.values() for line in lines) or str(error))
    return {row: Fault("\n".join(lines)) for row, lines in told.items()}


def _fault(detail: Detail, rows: Sequence[Row]) -> str:
    """The server tells rows of the request; the user knows places in the file."""
    if detail.row is None or detail.row >= len(rows):
        return detail.msg
    rest = detail.msg.removeprefix(f"row {detail.row + 1}")
    place = rows[detail.row].place
    return f"{place}: {rest}" if rest == detail.msg else f"{place}{rest}"
