"""The calls of both clients, as flows; see `Client` for what each does."""

import uuid
from collections.abc import Iterable
from typing import Any

from predictq import arguments
from predictq.arguments import part
from predictq.bulk.mapping import Bulk, Outcome, Progress
from predictq.bulk.results import Completed, Results
from predictq.errors import Unreachable, WaitTimeout
from predictq.http import wire
from predictq.http.flows import Flow, Stream
from predictq.http.requests import Requests
from predictq.http.retries import Deadline
from predictq.http.server import Server
from predictq.submission import Fields, defaults, submission
from predictq.types import Accepted, Prediction
from predictq.waiting import await_outcome, look_up_once


class Calls:
    """The calls to one server."""

    def __init__(self, server: Server, requests: Requests) -> None:
        self._server, self._requests = server, requests
        self._results = Results(requests)
        self._bulk = Bulk(requests, self._results)

    def predict(self, fields: Fields, rows: Any, timeout: float | None) -> Flow[Prediction]:
        until = self._deadline("timeout", timeout)
        # With a key it is safe to retry if the connection breaks after the submission.
        key = uuid.uuid4().hex
        response = yield from self._requests.send(
            "POST", "predict", body=submission(fields, rows), key=key, hold=until, until=until
        )
        answer = yield from await_outcome(self._requests, wire.state(response), until)
        if isinstance(answer, Accepted):
            raise WaitTimeout(answer.id)
        return answer

    def submit(self, fields: Fields, rows: Any, key: str | None) -> Flow[Accepted]:
        given = None if key is None else arguments.key(key)
        body = submission(fields, rows)
        response = yield from self._requests.send("POST", "predict/async", body=body, key=given)
        if doubtful := wire.uncertain_id(response):
            found = yield from self._requests.send("GET", _path(doubtful))
            response = found if found.is_success else response
        return wire.accepted(response)

    def submit_many(self, fields: Fields, rows: Any, key: str | None) -> Flow[list[str]]:
        given = uuid.uuid4().hex if key is None else arguments.key(key)
        return self._bulk.submit(rows, defaults(fields), given, self._server.deadline)

    def map(
        self,
        fields: Fields,
        rows: Any,
        timeout: float | None,
        *,
        ordered: bool,
        progress: Progress | None,
    ) -> Stream[Outcome]:
        return self._bulk.map(
            rows,
            defaults(fields),
            lambda: self._deadline("timeout", timeout),
            ordered=ordered,
            progress=progress or (lambda _: None),
        )

    def as_completed(self, ids: Iterable[str], timeout: float | None) -> Stream[Completed]:
        given = [arguments.text("ids", each) for each in ids]
        until = self._deadline("timeout", timeout)
        return self._results.as_completed(given, until, lambda each: each)

    def result(self, id: str, wait: float | None) -> Flow[Prediction | Accepted]:
        waiting = self._deadline("wait", 0.0 if wait is None else wait)
        until = self._server.deadline().later(waiting)
        answer = yield from look_up_once(self._requests, _path(id), waiting, until)
        return (yield from await_outcome(self._requests, answer, waiting))

    def cancel(self, id: str) -> Flow[None]:
        response = yield from self._requests.send("DELETE", _path(id))
        wire.successful(response)

    def model(self, name: str) -> Flow[dict[str, Any]]:
        return self._content(f"models/{part('name', name)}")

    def health(self) -> Flow[dict[str, Any]]:
        return self._content("health")

    def ready(self) -> Flow[bool]:
        try:
            now = self._server.deadline(0.0)
            response = yield from self._requests.send("GET", "ready", until=now)
            return response.is_success
        except Unreachable:
            return False

    def _deadline(self, argument: str, given: float | None) -> Deadline:
        limit = None if given is None else arguments.seconds(argument, given)
        return self._server.deadline(limit)

    def _content(self, path: str) -> Flow[dict[str, Any]]:
        response = yield from self._requests.send("GET", path)
        return wire.content(response)


def _path(id: str) -> str:
    return f"predict/result/{part('id', id)}"
