"""The client: submits rows, waits for answers, asks about models."""

import uuid
from typing import Any, Self
from urllib.parse import quote

from predictq import wire
from predictq.connection import Connection
from predictq.errors import Unavailable, Unreachable, WaitTimeout
from predictq.jobs import Jobs
from predictq.retries import Clock, Deadline
from predictq.rows import features
from predictq.types import Pending, Prediction

SHORTEST_PAUSE = 0.05
"""Seconds between two looks, whatever the server says."""


class Client:
    """Talks to one predictq server; may be shared between threads.

    ``url`` comes from ``PREDICTQ_URL`` by default, else it is port ``PREDICTQ_PORT`` or 5000 on
    this machine. ``timeout``: seconds that a call may take, its retries included. Every method
    raises a `PredictqError`; rows that JSON cannot say are a `TypeError`.
    """

    def __init__(
        self, url: str | None = None, *, timeout: float = 30.0, clock: Clock | None = None
    ) -> None:
        self._connection = Connection(url, timeout, clock or Clock())
        self.jobs = Jobs(self._connection)
        """Batch jobs."""

    def predict(
        self,
        model: str,
        rows: Any,
        *,
        method: str = "predict",
        timeout: float | None = None,
        max_queue_seconds: float | None = None,
        timeout_seconds: float | None = None,
    ) -> Prediction:
        """Predict and wait for the outcome, ``timeout`` seconds at most (the client's by default).

        ``model`` is ``name``, ``name@alias`` or ``name:version``. ``rows``: see
        `predictq.rows.features`. Raises `WaitTimeout`, which carries the id, when time is up.
        ``max_queue_seconds``: how long it may wait for a worker, then `PredictionExpired`;
        ``timeout_seconds``: how long a worker may compute, then `PredictionFailed`.
        """
        until = self._connection.deadline(timeout)
        # The key makes it safe to ask again where a connection breaks after the submission.
        key = uuid.uuid4().hex
        body = _body(model, rows, method, max_queue_seconds, timeout_seconds)
        response = self._connection.send(
            "POST", "predict", body=body, key=key, hold=until, until=until
        )
        answer = self._follow(wire.state(response, self), until)
        if isinstance(answer, Pending):
            raise WaitTimeout(answer.id)
        return answer

    def submit(
        self,
        model: str,
        rows: Any,
        *,
        method: str = "predict",
        idempotency_key: str | None = None,
        max_queue_seconds: float | None = None,
        timeout_seconds: float | None = None,
    ) -> Pending:
        """Submit and return at once; with a key, submitting again gives the same prediction."""
        body = _body(model, rows, method, max_queue_seconds, timeout_seconds)
        response = self._connection.send("POST", "predict/async", body=body, key=idempotency_key)
        if doubtful := wire.doubtful(response):
            found = self._connection.send("GET", f"predict/result/{_part(doubtful)}")
            response = found if found.is_success else response
        return wire.pending(response, self)

    def result(self, id: str, wait: float | None = None) -> Prediction | Pending:
        """The outcome, or how it stands after ``wait`` seconds (at once by default)."""
        waiting = self._connection.deadline(wait or 0.0)
        until = max(waiting, self._connection.deadline(), key=Deadline.left)
        return self._follow(self._look(f"predict/result/{_part(id)}", waiting, until), waiting)

    def cancel(self, id: str) -> None:
        """Cancel a prediction; one that has its outcome keeps it."""
        response = self._connection.send("DELETE", f"predict/result/{_part(id)}")
        if not response.is_success:
            raise wire.problem(response)

    @property
    def is_local(self) -> bool:
        """Whether the server is on this machine, as far as its address says."""
        return self._connection.is_local

    def models(self) -> list[dict[str, Any]]:
        """Every model that is registered."""
        return wire.listing(self._connection.send("GET", "models"), "models")

    def model(self, name: str) -> dict[str, Any]:
        """One model: its versions, aliases and signature."""
        return self._get(f"models/{_part(name)}")

    def health(self) -> dict[str, Any]:
        """What the server says of itself."""
        return self._get("health")

    def ready(self) -> bool:
        """Whether a prediction sent now would be computed; False too where no server is."""
        try:
            return self._connection.send("GET", "ready").is_success
        except Unreachable:
            return False

    def close(self) -> None:
        """Close the connections."""
        self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _follow(self, answer: Prediction | Pending, waiting: Deadline) -> Prediction | Pending:
        while isinstance(answer, Pending) and waiting.left():
            waiting.clock.sleep(min(max(answer.retry_after, SHORTEST_PAUSE), waiting.left()))
            answer = self._look_again(answer, waiting)
        return answer

    def _look_again(self, pending: Pending, waiting: Deadline) -> Prediction | Pending:
        # What was accepted will be answered, so a server that is away is waited for too.
        try:
            return self._look(pending.urls.result, waiting, waiting)
        except (Unavailable, Unreachable):
            return pending

    def _look(self, url: str, waiting: Deadline, until: Deadline) -> Prediction | Pending:
        return wire.state(self._connection.send("GET", url, hold=waiting, until=until), self)

    def _get(self, path: str) -> dict[str, Any]:
        return wire.content(self._connection.send("GET", path))


def _body(
    model: str,
    rows: Any,
    method: str,
    max_queue_seconds: float | None,
    timeout_seconds: float | None,
) -> dict[str, Any]:
    clocks = {"max_queue_seconds": max_queue_seconds, "timeout_seconds": timeout_seconds}
    given = {name: seconds for name, seconds in clocks.items() if seconds is not None}
    return {"model": model, "features": features(rows), "method": method} | given


def _part(name: str) -> str:
    return quote(name, safe="@:")
