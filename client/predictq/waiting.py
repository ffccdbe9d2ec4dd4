"""Polls a prediction until it has its outcome."""

from predictq.errors import Unavailable, Unreachable
from predictq.http import wire
from predictq.http.flows import Flow, Pause
from predictq.http.requests import Requests
from predictq.http.retries import Deadline
from predictq.types import Accepted, Prediction

MIN_PAUSE = 0.05
"""Least seconds between two look-ups, whatever the server asks."""


def await_outcome(
    requests: Requests, answer: Prediction | Accepted, waiting: Deadline
) -> Flow[Prediction | Accepted]:
    """Poll until there is an outcome or the deadline; returns the last state."""
    while isinstance(answer, Accepted) and waiting.left():
        yield Pause(min(max(answer.retry_after, MIN_PAUSE), waiting.left()))
        answer = yield from _look_again(requests, answer, waiting)
    return answer


def look_up_once(
    requests: Requests, url: str, waiting: Deadline, until: Deadline
) -> Flow[Prediction | Accepted]:
    """Look up a prediction once; the server waits for its outcome until ``waiting``."""
    response = yield from requests.send("GET", url, hold=waiting, until=until)
    return wire.state(response)


def _look_again(
    requests: Requests, accepted: Accepted, waiting: Deadline
) -> Flow[Prediction | Accepted]:
    # An accepted prediction will be answered, so keep polling through an outage.
    try:
        return (yield from look_up_once(requests, accepted.urls.result, waiting, waiting))
    except (Unavailable, Unreachable):
        return accepted
