"""The calls of both clients, as flows; see `Client` for what each does."""

import uuid
from collections.abc import Iterable, Mapping
from typing import Any, TypeVar

import httpx2

from predictq import arguments
from predictq.arguments import part
from predictq.bulk.mapping import Bulk, Outcome, Progress
from predictq.bulk.results import Completed, Results
from predictq.errors import PredictionFailed, Unreachable, WaitTimeout, refused
from predictq.http import wire
from predictq.http.flows import Flow, Stream
from predictq.http.requests import Requests
from predictq.http.retries import Deadline
from predictq.http.server import Server
from predictq.rows.arrow import ARROW, check_frame, from_stream, to_stream
from predictq.submission import Fields, defaults, submission
from predictq.types import Accepted, Prediction
from predictq.waiting import await_outcome, look_up_once

OTHER_MEDIA_TYPE = 415
INVALID_FEATURES = "invalid_features"
F = TypeVar("F")


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
        response = yield from self._submit("predict", fields, rows, key, until=until)
        return (yield from self._awaited(response, until))

    def predict_frame(self, fields: Fields, frame: F, timeout: float | None) -> Flow[F]:
        check_frame(frame)
        until = self._deadline("timeout", timeout)
        key = uuid.uuid4().hex
        response = yield from self._submit("predict", fields, frame, key, accept=ARROW, until=until)
        if not wire.is_in(response, ARROW):
            found = yield from self._awaited(response, until)
            response = yield from self._requests.send("GET", _path(found.id), accept=ARROW)
        content = wire.successful(response).content
        return wire.read(lambda: from_stream(content, frame))

    def _submit(
        self,
        path: str,
        fields: Fields,
        rows: Any,
        key: str | None,
        *,
        accept: str | None = None,
        until: Deadline | None = None,
    ) -> Flow[httpx2.Response]:
        """Submit rows, data frames in Arrow if possible; ``until``: how long to wait, if at all."""
        query = defaults(fields)
        stream = to_stream(rows)
        if stream is not None:
            response = yield from self._requests.post_encoded(
                path,
                stream,
                content_type=ARROW,
                query=query,
                key=key,
                accept=accept,
                is_repeatable=bool(key),
                hold=until,
                until=until,
            )
            if response.status_code != OTHER_MEDIA_TYPE:  # as an older server says
                return response
        return (
            yield from self._requests.send(
                "POST",
                path,
                body=submission(fields, rows),
                key=key,
                accept=accept,
                hold=until,
                until=until,
            )
        )

    def _awaited(self, response: httpx2.Response, until: Deadline) -> Flow[Prediction]:
        try:
            answer = yield from await_outcome(self._requests, wire.state(response), until)
        except PredictionFailed as error:
            if error.code != INVALID_FEATURES:
                raise
            # As in JSON, where the server finds wrong values before it accepts them.
            raise refused(error.message) from error
        if isinstance(answer, Accepted):
            raise WaitTimeout(answer.id)
        return answer

    def submit(self, fields: Fields, rows: Any, key: str | None) -> Flow[Accepted]:
        given = None if key is None else arguments.key(key)
        response = yield from self._submit("predict/async", fields, rows, given)
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

    def label(self, labels: Mapping[str, Any]) -> Flow[list[dict[str, Any]]]:
        given = {arguments.text("labels", each): label for each, label in labels.items()}
        response = yield from self._requests.send("POST", "predict/labels", body={"labels": given})
        return wire.read_list(response, "labels")

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
