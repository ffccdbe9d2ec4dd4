"""The answer to a line that was refused."""

import msgspec
from flask import Response
from msgspec.structs import asdict, replace

from api.http.problems import Problem, problem_of, problem_response
from telemetry.errors import PredictqError

MAX_CHARS = 300
"""Greatest length of each text in the problem of a line: there may be thousands."""
MAX_ERRORS = 3
"""Most details of an error that the problem of a line has."""
LEFT_OUT = "details are left out, since much of this answer is unread"
UNAVAILABLE = 503


class LineProblem(Problem, kw_only=True):
    """Why one line of a bulk request was refused; in the last line, why no more lines were read."""

    line: int
    """Number of the line, from 1. If it ended the answer, nothing was accepted from it on."""
    retry_after: int | msgspec.UnsetType = msgspec.UNSET
    """Seconds after which to submit again, if that is known."""


def line_problem(error: PredictqError, line: int, *, is_brief: bool = False) -> LineProblem:
    """The problem of a line, with its texts shortened; ``is_brief``: without details."""
    told = problem_of(error)
    if is_brief:
        told = replace(told, detail=LEFT_OUT, errors=())
    errors = tuple(replace(d, msg=d.msg[:MAX_CHARS]) for d in told.errors[:MAX_ERRORS])
    after = error.extra.get("retry_after", msgspec.UNSET)
    given = asdict(told) | {"detail": told.detail[:MAX_CHARS], "errors": errors}
    return LineProblem(**given, line=line, retry_after=after)


def refusal(problem: LineProblem) -> Response:
    """The response to a request of which nothing was accepted: the problem of its first line."""
    headers = {}
    if problem.status == UNAVAILABLE:
        headers["Retry-After"] = str(problem.retry_after or 1)
    return problem_response(problem, headers)
