"""Submits groups of lines, and repeats a group until each line is accepted or refused for good."""

import json
from dataclasses import dataclass
from typing import Any

import httpx2

from predictq.errors import ProblemError
from predictq.http import wire
from predictq.http.flows import Flow, Pause
from predictq.http.requests import Requests
from predictq.http.retries import Deadline, backoffs

SUBMIT_PATH = "predict/async"
Answer = str | ProblemError
"""The id of an accepted line, or why it was refused."""


@dataclass(frozen=True)
class LineGroup:
    """Lines of one request."""

    lines: list[bytes]
    query: dict[str, Any]
    """Defaults for all lines."""
    key: str
    """Idempotency key: with it a group may be repeated, and each line keeps its id."""


def submit(requests: Requests, group: LineGroup, until: Deadline) -> Flow[list[Answer]]:
    """Submit a group; returns an answer for each line.

    Lines that are refused for a reason that may pass are submitted again until the deadline. Raises
    a `ProblemError` if the request is refused as a whole, and `Unreachable`.
    """
    for backoff in backoffs():
        answers, asked = yield from _submit_once(requests, group, until)
        left = until.left()
        if not any(map(_may_pass, answers)) or not left or asked > left:
            return answers
        yield Pause(min(max(backoff, asked), left))
    raise AssertionError  # backoffs have no end


def _submit_once(
    requests: Requests, group: LineGroup, until: Deadline
) -> Flow[tuple[list[Answer], float]]:
    """The answers, and the seconds to wait before another try."""
    body = b"".join(group.lines)
    response = yield from requests.post_encoded(
        SUBMIT_PATH, body, query=group.query, key=group.key, until=until
    )
    told = wire.read(lambda: _told(response))
    asked = max((float(line.get("retry_after", 0)) for line in told), default=0.0)
    return _complete([_answer(line) for line in told], len(group.lines)), asked


def _told(response: httpx2.Response) -> list[dict[str, Any]]:
    """The lines of an answer. The problem of a line alone stands for a request of refused lines."""
    if response.is_success:
        return [json.loads(line) for line in response.content.split(b"\n") if line]
    problem = wire.problem(response)
    body = response.json() if "json" in response.headers.get("Content-Type", "") else {}
    if "line" not in body:
        raise problem
    return [body]


def _answer(line: dict[str, Any]) -> Answer:
    return str(line["id"]) if "line" not in line else wire.problem_in(line, int(line["status"]))


def _complete(answers: list[Answer], count: int) -> list[Answer]:
    """An answer that ended early ends with the problem of all that follows."""
    missing = count - len(answers)
    return (answers + answers[-1:] * missing if missing > 0 else answers)[:count]


def _may_pass(answer: Answer) -> bool:
    return isinstance(answer, ProblemError) and answer.retryable
