"""Looks at a prediction until it has its outcome."""

from predictq.errors import Unavailable, Unreachable
from predictq.http import wire
from predictq.http.connection import Connection
from predictq.http.retries import Deadline
from predictq.types import Pending, Prediction, Source

SHORTEST_PAUSE = 0.05
"""Seconds between two looks, whatever the server says."""


def await_outcome(
    connection: Connection, answer: Prediction | Pending, waiting: Deadline
) -> Prediction | Pending:
    """The outcome, or how it stands when the deadline has come."""
    while isinstance(answer, Pending) and waiting.left():
        waiting.clock.sleep(min(max(answer.retry_after, SHORTEST_PAUSE), waiting.left()))
        answer = _look_again(connection, answer, waiting)
    return answer


def look(
    connection: Connection, url: str, waiting: Deadline, until: Deadline, source: Source
) -> Prediction | Pending:
    """How a prediction stands; the server holds its answer while there is no outcome."""
    return wire.state(connection.send("GET", url, hold=waiting, until=until), source)


def _look_again(
    connection: Connection, pending: Pending, waiting: Deadline
) -> Prediction | Pending:
    # What was accepted will be answered, so a server that is away is waited for too.
    try:
        return look(connection, pending.urls.result, waiting, waiting, pending.source)
    except (Unavailable, Unreachable):
        return pending
