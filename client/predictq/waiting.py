"""Polls a prediction until it has its outcome."""

from predictq.errors import Unavailable, Unreachable
from predictq.http import wire
from predictq.http.connection import Connection
from predictq.http.retries import Deadline
from predictq.types import Pending, Prediction, Source

MIN_PAUSE = 0.05
"""Least seconds between two look-ups, whatever the server asks."""


def await_outcome(
    connection: Connection, answer: Prediction | Pending, waiting: Deadline
) -> Prediction | Pending:
    """Poll until there is an outcome or the deadline; returns the last state."""
    while isinstance(answer, Pending) and waiting.left():
        waiting.clock.sleep(min(max(answer.retry_after, MIN_PAUSE), waiting.left()))
        answer = _look_again(connection, answer, waiting)
    return answer


def look_up_once(
    connection: Connection, url: str, waiting: Deadline, until: Deadline, source: Source
) -> Prediction | Pending:
    """Look up a prediction once; the server waits for its outcome until ``waiting``."""
    return wire.state(connection.send("GET", url, hold=waiting, until=until), source)


def _look_again(
    connection: Connection, pending: Pending, waiting: Deadline
) -> Prediction | Pending:
    # An accepted prediction will be answered, so keep polling through an outage.
    try:
        return look_up_once(connection, pending.urls.result, waiting, waiting, pending.source)
    except (Unavailable, Unreachable):
        return pending
