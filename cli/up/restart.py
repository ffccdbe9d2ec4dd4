"""The `restart` command: replaces the processes of the running stack without downtime."""

import fcntl
import os
import signal
import time
from pathlib import Path

import click

from cli import find_stack
from stack.running import RunningStack, running_stack

RESTART_TIMEOUT = 300.0
"""Seconds; generous, since the old workers first finish what they compute."""
RESTART_LOOK_SECONDS = 0.1


@click.command()
@find_stack.for_registry
def restart(home: Path) -> None:
    """Replace the processes of API and workers one by one, without downtime."""
    before = _runs(home)
    os.kill(before.pid, signal.SIGUSR1)
    deadline = time.monotonic() + RESTART_TIMEOUT
    while (now := _runs(home)).replaced == before.replaced:
        if time.monotonic() > deadline:
            raise click.ClickException(
                f"the restart took more than {RESTART_TIMEOUT:.0f} s; see {home / 'logs'}"
            )
        time.sleep(RESTART_LOOK_SECONDS)
    if now.stayed:
        late = ", ".join(now.stayed)
        raise click.ClickException(f"not replaced, and still running: {late}; see {home / 'logs'}")
    click.echo("API and worker were replaced")


def _runs(home: Path) -> RunningStack:
    """The running stack. Its lock proves that the pid is really that of `up`, not a reused one."""
    stack = running_stack(home)
    if stack is None or not _is_locked(home / "up.lock"):
        raise click.ClickException(f"no `up` runs on {home}")
    return stack


def _is_locked(lock: Path) -> bool:
    with lock.open() as file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False
