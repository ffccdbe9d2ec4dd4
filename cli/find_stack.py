"""Finds the stack that a command is for: by home, by address, or the one that runs."""

import functools
import os
import shlex
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import click
import msgspec
from click.core import ParameterSource

from cli.failure import Failure
from stack.pointers import pointers
from stack.running import running_stack
from tasks.settings import directory

Command = Callable[..., Any]
DEFAULT = "~/.predictq"
LOCAL_HOSTS = ("127.0.0.1", "localhost", "::1")


class Running(msgspec.Struct, frozen=True):
    """A stack that runs on this machine."""

    home: Path
    url: str

    def __str__(self) -> str:
        return f"{self.url}, home {self.home}"


def running_stacks() -> list[Running]:
    """All known running stacks: that of the default home, and those with pointers."""
    found: dict[str, Running] = {}
    for home in (directory(DEFAULT), *(Path(pointer.home) for pointer in pointers())):
        with suppress(OSError):  # it belongs to another user
            if stack := running_stack(home):  # one home may be listed twice
                found.setdefault(stack.url, Running(home, stack.url))
    return list(found.values())


def not_served(home: Path) -> str:
    """The message after registering a version where no stack runs."""
    lines = [f"no stack runs on {home}: registered, not served; {_starting(home)}"]
    lines += [f"a stack runs at {other}" for other in running_stacks()]
    return "\n".join(lines)


def _home(home: Path | None, url: str | None) -> Path:
    """The home whose registry is meant."""
    if home is not None:
        return directory(home)
    if url:
        return _running_at(url).home
    meant = _running()
    return meant.home if meant else directory(DEFAULT)


def _url(home: Path | None, url: str | None) -> str | None:
    """The address of the server that is meant; None lets the client choose."""
    if url:
        return url
    if home is not None:
        return _running_on(directory(home)).url
    if os.environ.get("PREDICTQ_PORT"):
        return None
    meant = _running()
    return meant.url if meant else None


def _running() -> Running | None:
    """The stack to use if none is named: by port, at the default home, or the only one."""
    known, usual = running_stacks(), directory(DEFAULT)
    port = os.environ.get("PREDICTQ_PORT")
    named = [stack for stack in known if port == str(urlsplit(stack.url).port)]
    meant = named or [stack for stack in known if stack.home == usual] or known
    if len(meant) > 1:
        raise Failure("several stacks are running; choose one with --home:\n" + _lines(meant))
    if meant and meant[0].home != usual:
        click.echo(f"using the stack at {meant[0]}", err=True)
    return meant[0] if meant else None


def _running_on(home: Path) -> Running:
    if stack := running_stack(home):
        return Running(home, stack.url)
    raise Failure(f"no stack runs on {home}; {_starting(home)}{_others()}")


def _running_at(url: str) -> Running:
    if _address(url)[0] != LOCAL_HOSTS[0]:
        raise Failure(
            f"{url} is on another machine, and so are the files of its registry: "
            "use this command there, or give --home"
        )
    for stack in running_stacks():
        if _address(stack.url) == _address(url):
            return stack
    raise Failure(f"no stack of yours runs at {url}; give --home{_others()}")


def _address(url: str) -> tuple[str, int]:
    """Host and port, with all loopback names treated as one."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        host, port = None, None
    if not host or parts.scheme not in ("http", "https"):
        raise Failure(f"not an http address: {url!r}")
    return LOCAL_HOSTS[0] if host in LOCAL_HOSTS else host, port or (443 if url[4] in "sS" else 80)


def _starting(home: Path) -> str:
    return f"start it with: predictq up --home {shlex.quote(str(home))}"


def _others() -> str:
    known = running_stacks()
    return "\nthese run:\n" + _lines(known) if known else ""


def _lines(stacks: Iterable[Running]) -> str:
    return "\n".join(map(str, stacks))


def _heeded(home: Path | None, url: str | None) -> tuple[Path | None, str | None]:
    """An option on the command line overrides the other one from the environment."""
    source = click.get_current_context().get_parameter_source
    typed = [source(name) is ParameterSource.COMMANDLINE for name in ("home", "url")]
    if all(typed):
        raise click.UsageError("Give --home or --url, not both.")
    return (None if typed[1] else home), (None if typed[0] else url)


def _options(
    name: str, meant: Callable[[Path | None, str | None], Any]
) -> Callable[[Command], Command]:
    """A decorator that adds ``--home`` and ``--url``, and passes the command what it needs."""

    def decorate(command: Command) -> Command:
        @functools.wraps(command)
        def found(*args: Any, home: Path | None, url: str | None, **others: Any) -> Any:
            return command(*args, **{name: meant(*_heeded(home, url))}, **others)

        return _home_option(_url_option(found))

    return decorate


_url_option = click.option(
    "--url", envvar="PREDICTQ_URL", help="Use the stack at this address; PREDICTQ_URL."
)
_home_option = click.option(
    "--home",
    type=click.Path(file_okay=False, path_type=Path),
    envvar="PREDICTQ_HOME",
    help="Use the stack of this home; PREDICTQ_HOME [default: the one running, else ~/.predictq].",
)
for_registry = _options("home", _home)
"""Options of commands that work on the registry; passes ``home``."""
for_api = _options("url", _url)
"""Options of commands that call the API; passes ``url``."""
