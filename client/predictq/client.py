"""The client: submits rows, waits for answers, asks about models."""

import uuid
from typing import Any, Self

from predictq import arguments
from predictq.arguments import part
from predictq.errors import Unreachable, WaitTimeout
from predictq.http import wire
from predictq.http.connection import UNMET, Connection
from predictq.http.retries import Clock, Deadline
from predictq.jobs.jobs import Jobs
from predictq.submission import submission
from predictq.types import Pending, Prediction
from predictq.waiting import await_outcome, look

DEFAULT_TIMEOUT = 120.0
"""Seconds."""


class Client:
    """Talks to one predictq server; may be shared between threads.

    ``url``: by default the first of ``PREDICTQ_URL``, port ``PREDICTQ_PORT`` of this machine, the
    stack that runs on ``PREDICTQ_HOME`` or ``~/.predictq``, the only other one that this user runs
    on this machine, and ``http://127.0.0.1:5000``.

    ``timeout``: seconds that a call may take, 120 by default. What is safe to repeat is repeated
    until then, with growing pauses at random, or as long ones as the server asks for. The default
    is four times as long as a killed worker's predictions may be away, so `predict` outlasts
    workers that are killed. Where nobody ever listened at the address, a call without a timeout of
    its own, or of its client's, fails after 3 s: more likely the address is wrong, or nothing runs.

    Every method raises a `PredictqError`, for what cannot be sent or is no possible argument an
    `InvalidRequest` that names the argument, or the row and the column. There are two exceptions:
    an argument that a method does not have is a `TypeError`, as always in Python, and a file of
    the caller's own that cannot be read or written an `OSError`.
    """

    def __init__(
        self, url: str | None = None, *, timeout: float | None = None, clock: Clock | None = None
    ) -> None:
        limit = DEFAULT_TIMEOUT if timeout is None else arguments.seconds("timeout", timeout)
        unmet = UNMET if timeout is None else limit
        self._connection = Connection(url, limit, clock or Clock(), unmet)
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

        It waits on through whatever the server outlasts, such as workers that are killed.
        ``model`` is ``name``, ``name@alias`` or ``name:version``. ``rows``: see
        `predictq.rows.rows.features`. Raises `WaitTimeout` when time is up: the prediction goes on,
        and the error carries its id, for `result`.
        ``max_queue_seconds``: how long it may wait for a worker, then `PredictionExpired`;
        ``timeout_seconds``: how long a worker may compute, then `PredictionFailed`.
        """
        until = self._deadline("timeout", timeout)
        # The key makes it safe to ask again where a connection breaks after the submission.
        key = uuid.uuid4().hex
        clocks = {"max_queue_seconds": max_queue_seconds, "timeout_seconds": timeout_seconds}
        body = submission(model, rows, method, clocks)
        response = self._connection.send(
            "POST", "predict", body=body, key=key, hold=until, until=until
        )
        answer = await_outcome(self._connection, wire.state(response, self), until)
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
        key = None if idempotency_key is None else arguments.key(idempotency_key)
        clocks = {"max_queue_seconds": max_queue_seconds, "timeout_seconds": timeout_seconds}
        body = submission(model, rows, method, clocks)
        response = self._connection.send("POST", "predict/async", body=body, key=key)
        if doubtful := wire.doubtful(response):
            found = self._connection.send("GET", _path(doubtful))
            response = found if found.is_success else response
        return wire.pending(response, self)

    def result(self, id: str, wait: float | None = None) -> Prediction | Pending:
        """The outcome, or how it stands after ``wait`` seconds (at once by default)."""
        waiting = self._deadline("wait", 0.0 if wait is None else wait)
        until = self._connection.deadline().later(waiting)
        answer = look(self._connection, _path(id), waiting, until, self)
        return await_outcome(self._connection, answer, waiting)

    def cancel(self, id: str) -> None:
        """Cancel a prediction; one that has its outcome keeps it."""
        response = self._connection.send("DELETE", _path(id))
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
        return self._get(f"models/{part('name', name)}")

    def health(self) -> dict[str, Any]:
        """What the server says of itself."""
        return self._get("health")

    def ready(self) -> bool:
        """Whether a prediction sent now would be computed; False too where no server is.

        It asks once, and does not wait.
        """
        try:
            now = self._connection.deadline(0.0)
            return self._connection.send("GET", "ready", until=now).is_success
        except Unreachable:
            return False

    def close(self) -> None:
        """Close the connections."""
        self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _deadline(self, argument: str, given: float | None) -> Deadline:
        limit = None if given is None else arguments.seconds(argument, given)
        return self._connection.deadline(limit)

    def _get(self, path: str) -> dict[str, Any]:
        return wire.content(self._connection.send("GET", path))


def _path(id: str) -> str:
    return f"predict/result/{part('id', id)}"
