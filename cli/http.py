"""Calls the API for commands."""

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
from predictq.http.server import UNSEEN_SERVER_SECONDS, Server
from predictq.http.wire import content

Command = TypeVar("Command", bound=Callable[..., Any])
Json = dict[str, Any]
REQUEST_TIMEOUT = 30.0
"""Seconds."""

url_option = find_stack.for_api
as_json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


def ask(url: str | None, method: str, path: str, body: Any = None) -> Json:
    """Send a request and return the JSON answer; raises `Failure` for any error."""
    with _in_a_line():
        asked = Server(url, REQUEST_TIMEOUT, Clock(), UNSEEN_SERVER_SECONDS)
        with closing(Connection(asked)) as connection:
            return content(connection.send(method, path, body=body))


@contextmanager
def server(url: str | None) -> Iterator[Client]:
    """A client whose errors become `Failure`."""
    with _in_a_line(), Client(url) as client:
        yield client


@contextmanager
def _in_a_line() -> Iterator[None]:
    """Turn errors into `Failure`, which prints one line."""
    try:
        yield
    except BrokenPipeError:  # the reader of our output has closed the pipe; click exits quietly
        raise
    except (PredictqError, OSError, ValueError) as error:
        raise Failure(str(error)) from error


def as_json(value: Any) -> str:
    """Indented JSON, readable for people and jq."""
    return msgspec.json.format(msgspec.json.encode(value)).decode()
