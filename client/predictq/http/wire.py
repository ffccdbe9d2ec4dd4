"""Parses the server's answers: outcomes into types, problems into errors."""

import json
from collections.abc import Callable
from dataclasses import fields
from typing import Any, NoReturn, TypeVar

import httpx2

from predictq import errors
from predictq.http.retries import retry_after
from predictq.jobs.job import Counts, Job, JobError, RowError
from predictq.types import Accepted, Prediction, Receipt, Urls

DEFAULT_RETRY_AFTER = 0.5
"""Seconds before the next look-up if the server sends no `Retry-After`."""
UNAVAILABLE = 503
PROBLEMS: dict[int, type[errors.ProblemError]] = {
    400: errors.InvalidRequest,
    401: errors.InvalidRequest,
    403: errors.InvalidRequest,
    404: errors.NotFound,
    409: errors.Conflict,
    410: errors.Gone,
    413: errors.TooLarge,
    415: errors.InvalidRequest,
    422: errors.InvalidRequest,
    429: errors.Unavailable,
    502: errors.Unavailable,
    UNAVAILABLE: errors.Unavailable,
    504: errors.Unavailable,
}
ERROR_OF_STATUS = {"cancelled": errors.PredictionCancelled, "expired": errors.PredictionExpired}

T = TypeVar("T")


def state(response: httpx2.Response) -> Prediction | Accepted:
    """Parse a prediction, accepted or succeeded; raises the error of any other outcome."""
    if ending := _ending(response):
        raise ending
    body = content(response)
    return read(lambda: _state(body, retry_after(response)))


def accepted(response: httpx2.Response) -> Accepted:
    """Parse an accepted prediction, whatever its state."""
    body = content(response)
    return read(lambda: _accepted(body, retry_after(response)))


def job(response: httpx2.Response) -> Job:
    """Parse a batch job."""
    return read_job(content(response))


def jobs(response: httpx2.Response) -> list[Job]:
    """Parse a page of batch jobs."""
    return [read_job(body) for body in read_list(response, "data")]


def read_job(body: dict[str, Any]) -> Job:
    """Parse the JSON object of a batch job."""
    return read(lambda: _job(body))


def row_error(line: str) -> RowError:
    """Parse a line of the errors file."""
    return read(lambda: _known(RowError, json.loads(line)))


def content(response: httpx2.Response) -> dict[str, Any]:
    """The JSON object of a successful response; raises the error of any other."""
    return read(lambda: dict(successful(response).json()))


def is_in(response: httpx2.Response, media_type: str) -> bool:
    """Whether the body has this media type."""
    return response.headers.get("Content-Type", "") == media_type


def successful(response: httpx2.Response) -> httpx2.Response:
    """Return a successful response; raises the error of any other."""
    if not response.is_success:
        raise problem(response)
    return response


def read_list(response: httpx2.Response, name: str) -> list[dict[str, Any]]:
    """The list of objects under ``name`` in a successful response."""
    body = content(response)
    return read(lambda: list(body[name]))


def problem(response: httpx2.Response) -> errors.ProblemError:
    """The error that a response describes; without a problem body, by its status alone."""
    status = response.status_code
    kind = PROBLEMS.get(status, errors.ProblemError)
    try:
        return problem_in(response.json(), status)
    except (ValueError, KeyError, TypeError, AttributeError):
        reason = f"{status} {response.reason_phrase}".strip()
        return kind(status, f"http_{status}", reason, (), kind is errors.Unavailable)


def problem_in(body: dict[str, Any], status: int) -> errors.ProblemError:
    """The error that the JSON object of a problem describes."""
    details = tuple(_detail(item) for item in body.get("errors") or ())
    reason = body.get("detail") or body["title"]
    kind = PROBLEMS.get(status, errors.ProblemError)
    return kind(status, body["code"], reason, details, body["retryable"], body.get("id"))


def state_in(body: dict[str, Any]) -> Prediction | Accepted:
    """`state` for the JSON object of a look-up."""
    return _state(body, None)


def uncertain_id(response: httpx2.Response) -> str | None:
    """The id of a prediction or job that may or may not have been accepted; else None."""
    return problem(response).id if response.status_code == UNAVAILABLE else None


def _ending(response: httpx2.Response) -> errors.PredictqError | None:
    """The error a prediction ended with; None for a problem of the request, which has no urls."""
    try:
        body = response.json() if response.is_error else {}
        if not body.get("urls"):
            return None
        task_id, code = body["id"], body["code"]
        if code in ERROR_OF_STATUS:
            return ERROR_OF_STATUS[code](task_id)
        return errors.PredictionFailed(task_id, code, body["detail"], body["retryable"])
    except (ValueError, KeyError, TypeError, AttributeError):
        return None


def _detail(item: dict[str, Any]) -> errors.Detail:
    return errors.Detail(tuple(item.get("loc", ())), item["msg"], item.get("row"))


def _state(body: dict[str, Any], pause: float | None) -> Prediction | Accepted:
    status = body["status"]
    if status == "succeeded":
        receipt = _known(Receipt, body["receipt"])
        return Prediction(body["id"], status, body["predictions"], receipt)
    if status == "failed":
        _fail(body["id"], body["error"])
    if status in ERROR_OF_STATUS:
        raise ERROR_OF_STATUS[status](body["id"])
    return _accepted(body, pause)


def _accepted(body: dict[str, Any], pause: float | None) -> Accepted:
    urls = _known(Urls, body["urls"])
    pause = DEFAULT_RETRY_AFTER if pause is None else pause
    return _known(Accepted, body, urls=urls, retry_after=pause)


def _job(body: dict[str, Any]) -> Job:
    error = body.get("error")
    return _known(
        Job,
        body,
        methods=tuple(body["methods"]),
        counts=_known(Counts, body["counts"]),
        error=error and _known(JobError, error),
    )


def _fail(id: str, error: dict[str, Any]) -> NoReturn:
    raise errors.PredictionFailed(id, error["code"], error["message"], error["retryable"])


def _known(kind: type[T], body: dict[str, Any], **given: Any) -> T:
    # Ignore unknown fields, which a newer server may send.
    names = (field.name for field in fields(kind))  # type: ignore[arg-type]  # kind is a dataclass
    return kind(**{name: body[name] for name in names if name in body} | given)


def read(reader: Callable[[], T]) -> T:
    """Call a parser; raises `UnexpectedAnswer` if the answer is not predictq's."""
    try:
        return reader()
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        message = (
            f"the answer does not come from a predictq server ({error!r}); is the address right?"
        )
        raise errors.UnexpectedAnswer(message) from error
