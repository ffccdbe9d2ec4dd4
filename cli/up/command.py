"""The `up` command: its options, and what must hold before a stack starts on a home."""

import fcntl
import os
import socket
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any, TypeVar

import click

from cli.up.serving import find_or_start_redis, run_stack
from stack.programs import Stack, flower_login
from stack.supervisor import StartFailed, Stopped, Supervisor
from tasks.key_files import read_or_make_local_key
from tasks.scaling.replicas import bounds_of
from tasks.settings import Settings
from telemetry.errors import PredictqError

F = TypeVar("F", bound=Callable[..., Any])
PORT = click.IntRange(1, 65535)
SHUTDOWN_MARGIN_SECONDS = 5.0
"""Seconds of the shutdown beyond the workers' own, to stop Redis and kill late processes."""


def default_workers() -> int:
    """The default number of pool processes: one per core."""
    return len(os.sched_getaffinity(0))


def _port_option(name: str, variable: str, default: int, server: str) -> Callable[[F], F]:
    return click.option(
        name,
        envvar=variable,
        default=default,
        type=PORT,
        show_default=True,
        help=f"Port of {server}.",
    )


@click.command()
@_port_option("--port", "PREDICTQ_PORT", 5000, "the API")
@_port_option("--flower-port", "PREDICTQ_FLOWER_PORT", 5555, "Flower")
@click.option(
    "--home",
    envvar="PREDICTQ_HOME",
    default=lambda: Path.home() / ".predictq",
    type=click.Path(file_okay=False, path_type=Path),
    show_default="~/.predictq",
    help="Directory for all state.",
)
@click.option(
    "--workers",
    envvar="PREDICTQ_WORKERS",
    default=default_workers,
    type=click.IntRange(1),
    show_default="number of cores",
    help="Number of processes that compute predictions.",
)
@click.option(
    "--autoscale",
    envvar="PREDICTQ_AUTOSCALE",
    metavar="MIN..MAX",
    default="",
    callback=lambda _context, _option, given: _checked_range(given),
    help="Add and take away processes that compute predictions, as the queue needs them.",
)
@click.option("--no-demo", is_flag=True, help="Do not register demo models on the first start.")
@click.option("--no-flower", is_flag=True, help="Do not start Flower.")
@click.option(
    "--no-watch", is_flag=True, help="Do not evaluate alert rules, and send no notifications."
)
@click.option(
    "--with",
    "packages",
    multiple=True,
    metavar="EXTRA|REQUIREMENT|FILE",
    help="Package to install before the start, for all models, such as xgboost; repeatable.",
)
@click.option(
    "--trust-uploads",
    envvar="PREDICTQ_TRUST_UPLOADS",
    is_flag=True,
    help="Accept uploads, from callers with the local key, of models that run code when loaded.",
)
@click.option(
    "--webhooks-allow-local",
    envvar="PREDICTQ_WEBHOOKS_ALLOW_LOCAL",
    is_flag=True,
    help="Allow webhook addresses on this machine and in private networks.",
)
def up(
    port: int,
    flower_port: int,
    home: Path,
    workers: int,
    autoscale: str,
    no_demo: bool,
    no_flower: bool,
    no_watch: bool,
    packages: tuple[str, ...],
    trust_uploads: bool,
    webhooks_allow_local: bool,
) -> None:
    """Start Redis, workers, API and Flower; Ctrl-C stops them."""
    # First of all: what is imported or started later must see the packages.
    _install(packages)
    home = home.expanduser().absolute()  # processes of the stack have another working directory
    flower = None if no_flower else flower_port
    if flower:
        flower_login()  # checks the variables before anything starts
    lock = _lock(home)
    _check_ports({"--port": port, "--flower-port": flower})
    shutdown_timeout = Settings.from_environment().shutdown_timeout + SHUTDOWN_MARGIN_SECONDS
    with Supervisor(home / "logs", click.echo, (lock,), shutdown_timeout) as supervisor:
        try:
            redis_url = find_or_start_redis(supervisor, home)
            rights = trust_uploads, webhooks_allow_local
            stack = Stack(home, redis_url, port, flower, workers, not no_watch, *rights, autoscale)
            run_stack(supervisor, stack, demo=not no_demo)
        except Stopped:
            click.echo("stopping")
        except StartFailed as failure:
            raise click.ClickException(f"{failure}\nAll logs: {home / 'logs'}") from None
    click.echo("stopped")


def _checked_range(given: str) -> str:
    """Check a range such as 1..8; raises `click.BadParameter`."""
    try:
        if given:
            bounds_of(given, 1.0)
    except (ValueError, PredictqError):
        raise click.BadParameter(f"{given!r} is no range such as 1..8") from None
    return given


def _install(packages: tuple[str, ...]) -> None:
    """Add packages to this environment; raises `click.ClickException` if that fails."""
    if not packages:
        return
    from workers.environments.shared import add_to_shared  # noqa: PLC0415 - rarely needed

    try:
        add_to_shared(packages, click.echo)
    except PredictqError as error:
        raise click.ClickException(error.message) from error


def _lock(home: Path) -> int:
    """Lock this home; raises `click.ClickException` if another `up` runs on it."""
    try:
        home.mkdir(parents=True, exist_ok=True, mode=0o700)
        # Never closed here: the guard inherits it, so that the home stays locked until the last
        # process is gone, even if `up` is killed.
        lock = os.open(home / "up.lock", os.O_RDWR | os.O_CREAT, 0o600)
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        read_or_make_local_key(home)
    except BlockingIOError:
        raise click.ClickException(f"another `up` runs on {home}") from None
    except OSError as error:
        raise click.ClickException(f"--home {home} cannot be used: {error.strerror}") from None
    return lock


def _check_ports(ports: dict[str, int | None]) -> None:
    """Check that the ports are free; binds all at once, to notice the same port given twice."""
    with ExitStack() as sockets:
        for option, port in ports.items():
            try:
                if port:
                    sockets.enter_context(socket.create_server(("127.0.0.1", port)))
            except OSError as error:
                raise click.ClickException(
                    f"port {port} is taken; choose another with {option} ({error.strerror})"
                ) from None
