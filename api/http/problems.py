"""Maps errors to HTTP statuses and answers them as problem+json (RFC 9457)."""

import logging
from collections.abc import Mapping
from http import HTTPStatus

import msgspec
import redis
from flask import Flask, Response
from msgspec.structs import replace
from werkzeug.exceptions import (
    HTTPException,
    MethodNotAllowed,
    RequestedRangeNotSatisfiable,
)

from api.http.log_fields import of_request
from api.http.urls import Urls
from telemetry import errors
from telemetry.errors import Detail
from telemetry.log_throttle import LogThrottle
from telemetry.metrics import LOST

log = logging.getLogger(__name__)
_outage = LogThrottle()
MAX_TEXT_CHARS = 2000
"""Greatest length of each text in a problem, in characters."""

STATUS: dict[type[errors.PredictqError], HTTPStatus] = {
    errors.PredictqError: HTTPStatus.INTERNAL_SERVER_ERROR,
    errors.Malformed: HTTPStatus.BAD_REQUEST,
    errors.Invalid: HTTPStatus.UNPROCESSABLE_ENTITY,
    errors.TooLarge: HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    errors.UnsupportedMediaType: HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
    errors.HeadTooLarge: HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE,
    errors.UnknownMethod: HTTPStatus.NOT_IMPLEMENTED,
    errors.Misdirected: HTTPStatus.MISDIRECTED_REQUEST,
    errors.CrossSite: HTTPStatus.FORBIDDEN,
    errors.Unauthenticated: HTTPStatus.UNAUTHORIZED,
    errors.Forbidden: HTTPStatus.FORBIDDEN,
    errors.NotFound: HTTPStatus.NOT_FOUND,
    errors.OutcomeConflict: HTTPStatus.CONFLICT,
    errors.JobConflict: HTTPStatus.CONFLICT,
    errors.RegistryConflict: HTTPStatus.CONFLICT,
    errors.OutputExists: HTTPStatus.CONFLICT,
    errors.KeyConflict: HTTPStatus.CONFLICT,
    errors.ResultGone: HTTPStatus.GONE,
    errors.Lost: HTTPStatus.INTERNAL_SERVER_ERROR,
    errors.DiskFull: HTTPStatus.INSUFFICIENT_STORAGE,
    errors.RateLimited: HTTPStatus.TOO_MANY_REQUESTS,
    errors.Unavailable: HTTPStatus.SERVICE_UNAVAILABLE,
    # Errors that a prediction can end with.
    errors.ModelError: HTTPStatus.UNPROCESSABLE_ENTITY,
    errors.ModelUnloadable: HTTPStatus.INTERNAL_SERVER_ERROR,
    errors.RegistryUnavailable: HTTPStatus.SERVICE_UNAVAILABLE,
    errors.WorkerLost: HTTPStatus.SERVICE_UNAVAILABLE,
    errors.OutOfMemory: HTTPStatus.SERVICE_UNAVAILABLE,
    errors.TimedOut: HTTPStatus.GATEWAY_TIMEOUT,
    errors.Expired: HTTPStatus.GATEWAY_TIMEOUT,
    errors.Cancelled: HTTPStatus.CONFLICT,
}


class Problem(msgspec.Struct, kw_only=True):
    """The body of an HTTP error (RFC 9457)."""

    # RFC 9457 asks for this value where the title is that of the status; `code` tells errors apart.
    type: str = "about:blank"
    title: str
    status: int
    detail: str
    code: str
    """Stable identifier of the error, for programs to branch on."""
    retryable: bool
    """Whether the same request may succeed later."""
    errors: tuple[Detail, ...] = ()
    """The places in the input that are wrong."""
    id: str | msgspec.UnsetType = msgspec.UNSET
    """The prediction that ended with this error; or the prediction or batch job that may or may
    not have been accepted."""
    urls: Urls | msgspec.UnsetType = msgspec.UNSET
    """Addresses of the prediction's outcome; only for a prediction that was accepted."""
    traceback: str | msgspec.UnsetType = msgspec.UNSET
    """Traceback of the model's exception; only with `debug=true`."""


def status_of(error: errors.PredictqError | type[errors.PredictqError]) -> HTTPStatus:
    """The status of the error's class, or of its nearest ancestor in `STATUS`."""
    kind = error if isinstance(error, type) else type(error)
    # So a class that is added to the tree has a status without an entry of its own.
    return next(STATUS[ancestor] for ancestor in kind.__mro__ if ancestor in STATUS)


def problem_of(error: errors.PredictqError) -> Problem:
    """The problem that describes an error; a lost prediction is counted, as callers are told."""
    if isinstance(error, errors.Lost):
        LOST.inc()
    status = status_of(error)
    return Problem(
        title=status.phrase,
        status=status,
        detail=error.message,
        code=error.code,
        retryable=error.retryable,
        errors=error.errors,
        id=error.extra.get("id", msgspec.UNSET),
    )


def problem_response(problem: Problem, headers: Mapping[str, str] | None = None) -> Response:
    """A problem as a response; texts, which may quote the request, are truncated."""
    told = tuple(replace(d, msg=_cut(d.msg)) for d in problem.errors)
    body = msgspec.json.encode(replace(problem, detail=_cut(problem.detail), errors=told))
    return Response(body, problem.status, headers, content_type="application/problem+json")


def _cut(text: str) -> str:
    return text if len(text) <= MAX_TEXT_CHARS else f"{text[:MAX_TEXT_CHARS]} …"


def answer_to(error: errors.PredictqError | redis.RedisError | HTTPException) -> Response:
    """The response to an error of ours, of HTTP, or to a failure of Redis."""
    if isinstance(error, HTTPException):
        return _from_werkzeug(error)
    return _ours(error) if isinstance(error, errors.PredictqError) else _without_redis(error)


def register(app: Flask) -> None:
    """Answer every error with a problem; unexpected ones are logged and reveal no details."""
    app.register_error_handler(errors.PredictqError, _ours)
    app.register_error_handler(redis.RedisError, _without_redis)
    app.register_error_handler(HTTPException, _from_werkzeug)
    app.register_error_handler(Exception, _unforeseen)


def _answer(problem: Problem, headers: dict[str, str] | None = None) -> Response:
    # A default: many clients retry a 503 only if it says when.
    if problem.status == HTTPStatus.SERVICE_UNAVAILABLE:
        headers = {"Retry-After": "1", **(headers or {})}
    if problem.status == HTTPStatus.UNAUTHORIZED:
        headers = {"WWW-Authenticate": "Bearer", **(headers or {})}
    return problem_response(problem, headers)


def _ours(error: errors.PredictqError) -> Response:
    if status_of(error) == HTTPStatus.INTERNAL_SERVER_ERROR:
        fields = {"id": error.extra["id"]} if "id" in error.extra else {}
        log.error("%s: %s", error.code, error.message, extra=of_request() | fields)
    headers = dict(error.extra.get("headers", {}))
    if after := error.extra.get("retry_after"):
        headers["Retry-After"] = str(after)
    return _answer(problem_of(error), headers)


def unavailable(error: redis.RedisError) -> errors.Unavailable:
    """The error of ours for a failure of Redis, which is logged now and then."""
    if many := _outage.count():
        log.warning(
            "Redis was unavailable for %s requests, the last: %s", many, error, extra=of_request()
        )
    return errors.Unavailable()


def _without_redis(error: redis.RedisError) -> Response:
    return _answer(problem_of(unavailable(error)))


def _from_werkzeug(error: HTTPException) -> Response:
    status = HTTPStatus(error.code or HTTPStatus.INTERNAL_SERVER_ERROR)
    problem = Problem(
        title=status.phrase,
        status=status,
        detail=error.description or status.phrase,
        code=status.name.lower(),
        # The request itself is wrong, such as its path or its method.
        retryable=False,
    )
    return _answer(problem, _headers(error))


def _headers(error: HTTPException) -> dict[str, str]:
    """Headers that the status requires."""
    if isinstance(error, MethodNotAllowed):
        return {"Allow": ", ".join(sorted(error.valid_methods or ()))}
    if isinstance(error, RequestedRangeNotSatisfiable):
        return {"Content-Range": f"{error.units} */{error.length}"}
    return {}


def _unforeseen(error: Exception) -> Response:
    log.error("unforeseen error", exc_info=error, extra=of_request())
    return _answer(
        problem_of(
            errors.PredictqError(
                "an unexpected error occurred; the log of the server has the details"
            )
        )
    )
