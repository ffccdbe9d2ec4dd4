"""Asks the API on behalf of an operator."""

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from typing import Any, TypeVar

import click
import msgspec

from cli import find_stack
from cli.failure import Failure
from predictq import Client, PredictqError
from predictq.http.connection import Connection
from predictq.http.retries import Clock
from predictq.http.wire import content

Command = TypeVar("Command", bound=Callable[..., Any])
Json = dict[str, Any]
REQUEST_TIMEOUT = 30.0
"""Seconds."""

url_option = find_stack.for_api
as_json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


def ask(url: str | None, method: str, path: str, body: Any = None) -> Json:
    """What the server answers; what it refuses is a failure, told in a line."""
    with _in_a_line(), closing(Connection(url, REQUEST_TIMEOUT, Clock())) as connection:
        return content(connection.send(method, path, body=body))


@contextmanager
def server(url: str | None) -> Iterator[Client]:
    """A client; what goes wrong is a failure, told in a line."""
    with _in_a_line(), Client(url) as client:
        yield client


@contextmanager
def _in_a_line() -> Iterator[None]:
    """Tell what goes wrong in a line."""
    try:
        yield
    except BrokenPipeError:  # whoever read us has enough; click ends quietly
        raise
    except (PredictqError, OSError, ValueError) as error:
        raise Failure(str(error)) from error


def as_json(value: Any) -> str:
    """For people and for jq."""
    return msgspec.json.format(msgspec.json.encode(value)).decode()
