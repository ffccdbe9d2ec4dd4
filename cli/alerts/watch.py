"""The `watch` command: evaluates the alert rules of a stack that runs without a watch."""

from pathlib import Path

import click

from api.watch.running import run_watch
from cli import find_stack
from cli.failure import Failure
from stack.running import running_stack
from telemetry.logs import configure


@click.command()
@find_stack.for_registry
def watch(home: Path) -> None:
    """Evaluate the alert rules without Prometheus, and notify the URLs of PREDICTQ_NOTIFY.

    `predictq up` starts a watch by itself. A second watch waits until the first one has ended.
    """
    stack = running_stack(home)
    if stack is None:
        raise Failure(f"no stack runs on {home}; start it with: predictq up")
    configure("watch")
    run_watch(stack.url, stack.redis_url, home)
