"""Follows a batch job by its server-sent events, and reconnects when the connection breaks."""

import json
from collections.abc import Iterable, Iterator
from typing import Any

from predictq.errors import Unavailable, UnexpectedAnswer, Unreachable
from predictq.http import wire
from predictq.http.connection import Connection
from predictq.http.retries import Deadline
from predictq.jobs.job import Job

RECONNECT_PAUSE = 0.5
"""Seconds before reconnecting."""


def follow(connection: Connection, path: str, until: Deadline | None) -> Iterator[Job]:
    """Yield the job now and at each change, until it ends or ``until``.

    A server that is away is retried for as long as a call may take.
    """
    deadline = connection.deadline()
    while True:
        try:
            for job in _changes(connection, path, until):
                yield job
                if job.has_ended or _is_over(until):
                    return
                deadline = connection.deadline()
        except (Unreachable, Unavailable):
            limit = deadline if until else connection.limit(deadline)
            if not (limit.left() or _is_over(until)):
                raise
        if _is_over(until):
            return
        _pause(deadline, until)


def _changes(connection: Connection, path: str, until: Deadline | None) -> Iterator[Job]:
    try:
        yield from _streamed_jobs(connection, path, until)
    except Unavailable:  # too many listeners: poll instead
        yield wire.job(connection.send("GET", path, until=until))


def _streamed_jobs(connection: Connection, path: str, until: Deadline | None) -> Iterator[Job]:
    with connection.stream(f"{path}/events", until=until) as response:
        last: Job | None = None
        for event in _events(wire.successful(response).iter_lines()):
            last = wire.read_job(event) if event else last
            if last:
                yield last


def _events(lines: Iterable[str]) -> Iterator[dict[str, Any] | None]:
    """The JSON objects of server-sent events; None for a comment, the server's keep-alive."""
    data: list[str] = []
    for line in lines:
        if line.startswith("data:"):
            data.append(line.removeprefix("data:"))
        elif line.startswith(":"):
            yield None
        elif not line and data:
            yield _object("\n".join(data))
            data = []


def _object(text: str) -> dict[str, Any]:
    try:
        return dict(json.loads(text))
    except (ValueError, TypeError) as error:
        raise UnexpectedAnswer(f"the event is not a JSON object ({error!r})") from error


def _is_over(until: Deadline | None) -> bool:
    return until is not None and not until.left()


def _pause(*deadlines: Deadline | None) -> None:
    given = [deadline for deadline in deadlines if deadline]
    given[0].clock.sleep(min(RECONNECT_PAUSE, *(deadline.left() for deadline in given)))
