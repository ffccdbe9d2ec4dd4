"""Predicts rows in requests of limited size, a few in flight at a time, in order."""

import uuid
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from cli.failure import Failure
from cli.predict.progress import REFRESH_INTERVAL, Progress
from cli.predict.rows import Row
from predictq import Client, Detail, Pending, PredictionFailed, PredictqError, ProblemError

ROWS_PER_WINDOW = 1_000
"""Rows per request."""
WINDOW = 4
"""Requests in flight: enough to keep workers busy, too few to fill the queue."""
SHOWN_FAILURES = 20
"""Faults to print if no row could be predicted."""


class Fault(str):
    """The location of a row, and why it has no prediction."""

    __slots__ = ()


@dataclass(frozen=True)
class Sent:
    """The rows of a request in flight."""

    rows: Sequence[Row]
    faults: dict[int, Fault]
    """Rows that were not sent, by position."""
    pending: Pending | None
    """None if no row was sent."""

    @property
    def good(self) -> list[Row]:
        return [row for index, row in enumerate(self.rows) if index not in self.faults]

    @property
    def locations(self) -> str:
        first, last = self.good[0].location, self.good[-1].location
        return first if first == last else f"{first} to {last}"


def predictions(
    client: Client, model: str, rows: Sequence[Row], method: str, **options: Any
) -> Iterator[Any]:
    """Yield a prediction or a `Fault` per row, in order.

    ``options``: ``max_queue_seconds``, ``timeout_seconds``, ``sticky`` and ``priority`` of
    `Client.submit`.
    Raises `Failure` if a request fails for another reason than its rows, or if every row of the
    first request fails.
    """
    with Progress(len(rows)) as progress:
        sender = WindowedPredict(client, model, {"method": method, **options}, progress)
        for number, answers in enumerate(_answers_in_order(sender, rows)):
            if not number:
                _refuse_hopeless(answers)
            progress.advance(len(answers))
            yield from answers


def _answers_in_order(sender: "WindowedPredict", rows: Sequence[Row]) -> Iterator[list[Any]]:
    """Yield the answers of each request, with up to `WINDOW` requests in flight."""
    in_flight: deque[Sent] = deque()
    for start in range(0, len(rows), ROWS_PER_WINDOW):
        if len(in_flight) == WINDOW:
            yield sender.receive_answers(in_flight.popleft())
        in_flight.append(sender.send(rows[start : start + ROWS_PER_WINDOW]))
    while in_flight:
        yield sender.receive_answers(in_flight.popleft())


class WindowedPredict:
    """Sends rows, and isolates those that fail, so that the others are predicted."""

    def __init__(
        self, client: Client, model: str, asked: dict[str, Any], progress: Progress
    ) -> None:
        self._client, self._model, self._asked = client, model, asked
        self._progress = progress

    def send(self, rows: Sequence[Row]) -> Sent:
        """Submit rows, leaving out refused ones; raises `Failure` if the rows are not the cause."""
        faults = {
            n: Fault(f"{row.location}: {row.fault}") for n, row in enumerate(rows) if row.fault
        }
        while len(faults) < len(rows):
            good = [index for index in range(len(rows)) if index not in faults]
            sent = [rows[index] for index in good]
            try:
                return Sent(rows, faults, self._submit(sent))
            except ProblemError as error:
                faults |= {good[row]: fault for row, fault in _refused(error, sent).items()}
        return Sent(rows, faults, None)

    def receive_answers(self, sent: Sent) -> list[Any]:
        """Wait for the answers of all rows, in order; raises `Failure`."""
        answers = iter(self._answers(sent, sent.pending) if sent.pending else ())
        return [sent.faults.get(n) or next(answers) for n in range(len(sent.rows))]

    def _submit(self, rows: Sequence[Row]) -> Pending:
        features, key = [row.value for row in rows], uuid.uuid4().hex
        return self._client.submit(self._model, features, idempotency_key=key, **self._asked)

    def _answers(self, sent: Sent, pending: Pending) -> list[Any]:
        """Answers of the rows sent. If the model raises, bisect to find the rows that cause it."""
        rows = sent.good
        try:
            return self._wait(pending)
        except PredictionFailed as error:
            if error.code != "model_error":
                raise Failure(f"{sent.locations}: {error}") from error
            if len(rows) == 1:
                return [Fault(f"{rows[0].location}: {error}")]
        except PredictqError as error:
            raise Failure(f"{sent.locations}: {error}") from error
        half = len(rows) // 2
        halves = [self.send(some) for some in (rows[:half], rows[half:])]
        return [answer for one in halves for answer in self.receive_answers(one)]

    def _wait(self, pending: Pending) -> list[Any]:
        while isinstance(
            outcome := self._client.result(pending.id, wait=REFRESH_INTERVAL), Pending
        ):
            self._progress.advance(0)
        return outcome.predictions


def _refuse_hopeless(answers: Sequence[Any]) -> None:
    """Raise `Failure` if every row failed: it is the wrong file, or a broken model."""
    if all(isinstance(answer, Fault) for answer in answers):
        what = f"none of {len(answers):,} rows can be answered"
        raise Failure("\n".join([*answers[:SHOWN_FAILURES], *([what] if len(answers) > 1 else [])]))


def _refused(error: ProblemError, rows: Sequence[Row]) -> dict[int, Fault]:
    """Faults of the rows that a problem names, by position; raises `Failure` if it names others."""
    told: dict[int, list[str]] = {}
    for detail in error.errors:
        told.setdefault(-1 if detail.row is None else detail.row, []).append(_fault(detail, rows))
    if not told or not all(row in range(len(rows)) for row in told):
        raise Failure("\n".join(line for lines in told.values() for line in lines) or str(error))
    return {row: Fault("\n".join(lines)) for row, lines in told.items()}


def _fault(detail: Detail, rows: Sequence[Row]) -> str:
    """A fault that names the location in the file instead of the server's row number."""
    if detail.row is None or detail.row >= len(rows):
        return detail.msg
    rest = detail.msg.removeprefix(f"row {detail.row + 1}")
    location = rows[detail.row].location
    return f"{location}: {rest}" if rest == detail.msg else f"{location}{rest}"
