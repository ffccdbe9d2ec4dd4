"""The `Client`: submits rows, waits for predictions, lists models."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Self, TypeVar

from predictq.access.keys import Keys
from predictq.bulk.mapping import Progress
from predictq.bulk.results import Completed
from predictq.calls import Calls
from predictq.errors import PredictqError
from predictq.http.connection import Connection
from predictq.http.keys import GivenKey
from predictq.http.retries import Clock
from predictq.http.server import Server
from predictq.jobs.jobs import Jobs
from predictq.models.deployments import Deployments
from predictq.models.models import Models
from predictq.submission import Fields
from predictq.types import Accepted, Pending, Prediction

F = TypeVar("F")


class Client:
    """A client of one predictq server; it may be shared between threads.

    ``url``: address of the server. By default the first of: ``PREDICTQ_URL``; port
    ``PREDICTQ_PORT`` of this machine; the stack that runs on ``PREDICTQ_HOME`` or ``~/.predictq``;
    the only other stack of this user on this machine; ``http://127.0.0.1:5000``.

    ``key``: the API key to present, or a function that returns it, which is called before each
    request: for JWTs, which expire. By default ``PREDICTQ_KEY``; else the local key of the stack,
    if it is one of this user on this machine.

    ``timeout``: seconds that a call may take, 120 by default. Requests that are safe to repeat are
    retried until then, with exponential backoff and jitter, or after the server's ``Retry-After``.
    The default is four times as long as predictions take to recover from a killed worker, so
    `predict` outlasts one. If no connection was ever made and no timeout is given, a call fails
    after 3 s, because the address is probably wrong, or no server runs.

    Every method raises a `PredictqError` on failure. A wrong argument, or a value that cannot be
    sent, is an `InvalidRequest` that names the argument, or the row and the column. There are two
    exceptions: an unknown argument is a `TypeError`, as always in Python, and a local file that
    cannot be read or written is an `OSError`.
    """

    def __init__(
        self,
        url: str | None = None,
        *,
        key: GivenKey | None = None,
        timeout: float | None = None,
        clock: Clock | None = None,
    ) -> None:
        self._connection = Connection(Server(url, timeout, clock or Clock(), key=key))
        self._calls = Calls(self._connection.server, self._connection.requests)
        self.jobs = Jobs(self._connection)
        """Batch jobs of this server."""
        self.keys = Keys(self._connection)
        """The API keys of this server."""
        self.models = Models(self._connection)
        """The registry of this server; calling it lists the models."""
        self.deployments = Deployments(self._connection)
        """The deployments of this server; calling it lists them."""

    def predict(
        self,
        model: str,
        rows: Any,
        *,
        method: str = "predict",
        timeout: float | None = None,
        max_queue_seconds: float | None = None,
        timeout_seconds: float | None = None,
        sticky: str | None = None,
        cache: bool | int | None = None,
        priority: str | None = None,
    ) -> Prediction:
        """Submit rows and wait for their predictions.

        ``model``: ``name``, ``name@alias`` or ``name:version``. ``rows``: a row or rows, see
        `predictq.rows.rows.features`. ``timeout``: seconds to wait, the client's by default.
        ``max_queue_seconds``: how long it may wait for a worker; after that `PredictionExpired`.
        ``timeout_seconds``: how long a worker may compute; after that `PredictionFailed`.
        ``sticky``: of an alias that is split, requests with the same key, such as the id of a user,
        are answered by the same version. ``cache``: whether, or for how many seconds, an answer
        to the same rows is reused; None as the model's setting says. ``priority``: ``high``,
        ``normal`` or ``low``, among the predictions of the same caller.

        Waiting continues through outages, such as killed workers. Raises `WaitTimeout` when time is
        up: the prediction continues, and the error has its id, for `result`.
        """
        limits = max_queue_seconds, timeout_seconds
        fields = Fields(model, method, *limits, sticky, cache, priority)
        return self._connection.run(self._calls.predict(fields, rows, timeout))

    def predict_frame(
        self,
        model: str,
        frame: F,
        *,
        method: str = "predict",
        timeout: float | None = None,
        max_queue_seconds: float | None = None,
        timeout_seconds: float | None = None,
        sticky: str | None = None,
        cache: bool | int | None = None,
        priority: str | None = None,
    ) -> F:
        """Predict a data frame's rows; returns a data frame of the same library.

        ``frame``: a data frame of pandas or polars, or an Arrow table. The answer has a row for
        each row of the frame and the columns of a batch job's output: `prediction`, or for
        probabilities one for each class. That of pandas has the frame's index, and in
        ``attrs["predictq"]`` the id and the receipt. Needs pyarrow. See `predict` for the rest.
        """
        limits = max_queue_seconds, timeout_seconds
        fields = Fields(model, method, *limits, sticky, cache, priority)
        return self._connection.run(self._calls.predict_frame(fields, frame, timeout))

    def submit(
        self,
        model: str,
        rows: Any,
        *,
        method: str = "predict",
        idempotency_key: str | None = None,
        max_queue_seconds: float | None = None,
        timeout_seconds: float | None = None,
        sticky: str | None = None,
        cache: bool | int | None = None,
        priority: str | None = None,
    ) -> Pending:
        """Submit rows and return at once; see `predict` for the other parameters.

        ``idempotency_key``: submitting again with the same key returns the same prediction.
        """
        limits = max_queue_seconds, timeout_seconds
        fields = Fields(model, method, *limits, sticky, cache, priority)
        accepted = self._connection.run(self._calls.submit(fields, rows, idempotency_key))
        return self._pending(accepted)

    def submit_many(
        self,
        model: str,
        rows: Any,
        *,
        method: str = "predict",
        idempotency_key: str | None = None,
        max_queue_seconds: float | None = None,
        timeout_seconds: float | None = None,
        sticky: str | None = None,
        cache: bool | int | None = None,
        priority: str | None = None,
    ) -> list[str]:
        """Submit each row as a prediction of its own; returns their ids in order.

        ``rows``: a data frame, an array or an iterable of rows; an item may also hold several rows,
        which are one prediction. The limits apply to each. With the same ``idempotency_key`` the
        same rows have the same ids again. Rows go in requests of up to 1,000, each of which may
        take the client's timeout. Raises `BulkError`, which has the ids of the other rows, if some
        rows were refused.
        """
        limits = max_queue_seconds, timeout_seconds
        fields = Fields(model, method, *limits, sticky, cache, priority)
        return self._connection.run(self._calls.submit_many(fields, rows, idempotency_key))

    def map(
        self,
        model: str,
        rows: Any,
        *,
        method: str = "predict",
        ordered: bool = True,
        return_exceptions: bool = False,
        progress: Progress | None = None,
        timeout: float | None = None,
        max_queue_seconds: float | None = None,
        timeout_seconds: float | None = None,
        sticky: str | None = None,
        cache: bool | int | None = None,
        priority: str | None = None,
    ) -> Iterator[Prediction | PredictqError]:
        """Yield the prediction of each row; see `submit_many` for rows and limits.

        Rows are read as they are sent: at most three windows of 500 are under way. ``ordered``: in
        the order of the rows, else each window as it completes. ``return_exceptions``: yield the
        error of a row in place of its prediction; otherwise the first one is raised. ``progress``
        is called after each window with the number of rows that are done. ``timeout``: seconds for
        each window, the client's by default; then `WaitTimeout`.
        """
        limits = max_queue_seconds, timeout_seconds
        fields = Fields(model, method, *limits, sticky, cache, priority)
        outcomes = self._connection.iterate(
            self._calls.map(fields, rows, timeout, ordered=ordered, progress=progress)
        )
        for outcome in outcomes:
            if isinstance(outcome, PredictqError) and not return_exceptions:
                raise outcome
            yield outcome

    def as_completed(self, ids: Iterable[str], timeout: float | None = None) -> Iterator[Completed]:
        """Yield predictions as they get their outcomes.

        ``timeout``: seconds until `WaitTimeout`, the client's timeout by default. Errors of
        predictions are raised by `Completed.result`.
        """
        return self._connection.iterate(self._calls.as_completed(ids, timeout))

    def result(self, id: str, wait: float | None = None) -> Prediction | Pending:
        """The prediction, or its state after ``wait`` seconds (by default at once).

        Raises `PredictionFailed`, `PredictionExpired` or `PredictionCancelled` if it ended so.
        """
        answer = self._connection.run(self._calls.result(id, wait))
        return answer if isinstance(answer, Prediction) else self._pending(answer)

    def cancel(self, id: str) -> None:
        """Cancel a prediction; does nothing if it has an outcome."""
        self._connection.run(self._calls.cancel(id))

    def label(self, labels: Mapping[str, Any]) -> list[dict[str, Any]]:
        """Tell what came true: by id of a prediction a value for each row, at most 1,000 ids.

        Returns for each whether it was counted; what was told before is not counted again.
        """
        return self._connection.run(self._calls.label(labels))

    @property
    def is_local(self) -> bool:
        """Whether the server's address is a loopback address."""
        return self._connection.server.is_local

    def model(self, name: str) -> dict[str, Any]:
        """One model with its versions, aliases and signatures, as in `GET /models/{name}`."""
        return self._connection.run(self._calls.model(name))

    def health(self) -> dict[str, Any]:
        """The answer of `GET /health`."""
        return self._connection.run(self._calls.health())

    def ready(self) -> bool:
        """Whether a prediction sent now would be computed; also False if no server answers.

        Asks once, without retries.
        """
        return self._connection.run(self._calls.ready())

    def close(self) -> None:
        """Close the connections."""
        self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _pending(self, accepted: Accepted) -> Pending:
        return Pending(**vars(accepted), source=self)
