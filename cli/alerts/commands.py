"""The `alerts` commands: what needs attention, the rules for Prometheus, a trial notification."""

import time
from pathlib import Path

import click
import redis

from api.watch.notifying import NOTIFY_VARIABLE, Notifier
from cli import find_stack
from cli.failure import Failure
from cli.http import as_json as printed
from cli.http import as_json_option
from cli.text_table import text_table
from stack.running import running_stack
from tasks.alerts.rules.alert import all_alerts
from tasks.alerts.rules.prometheus import prometheus_rules
from tasks.alerts.watching.notices import summary
from tasks.alerts.watching.states import AlertState
from tasks.alerts.watching.store import AlertStore
from tasks.ledger.ledger import connect

CONSOLE = "http://127.0.0.1:5000"


@click.group()
def alerts() -> None:
    """List alerts, print their rules, and test notifications."""


@alerts.command("list")
@as_json_option
@find_stack.for_registry
def list_alerts(as_json: bool, home: Path) -> None:
    """List the alerts that fire or are pending, most severe first."""
    stack = running_stack(home)
    if stack is None:
        raise Failure(f"no stack runs on {home}; start it with: predictq up")
    store = AlertStore(connect(stack.redis_url))
    try:
        states, is_watched = store.open(), store.is_watched()
    except redis.RedisError as error:
        raise Failure(f"Redis does not answer: {error}") from error
    if as_json:
        click.echo(printed({"watched": is_watched, "alerts": states}))
        return
    if not is_watched:
        click.echo("no watch evaluates the rules: these may be old", err=True)
    click.echo(text_table(("ALERT", "STATE", "SINCE", "WHAT"), map(_row, states)))


@alerts.command("rules")
@click.option(
    "--console",
    default=CONSOLE,
    show_default=True,
    help="Address of the console, for links to runbooks.",
)
def rules(console: str) -> None:
    """Print the alert rules in the format of Prometheus."""
    click.echo(prometheus_rules(console.rstrip("/")), nl=False)


@alerts.command("try")
def try_notifications() -> None:
    """Send a test notification to each URL in PREDICTQ_NOTIFY."""
    notifier = Notifier.from_environment()
    if not notifier.channels:
        raise Failure(f"{NOTIFY_VARIABLE} is not set: give it apprise URLs, separated by blanks")
    failed = notifier.send_to_all("predictq: a trial", "Alerts will arrive here.")
    for channel in notifier.channels:
        click.echo(f"{'failed' if channel in failed else 'sent'}  {channel}")
    if failed:
        raise Failure("not every channel took the notification")


def _row(state: AlertState) -> tuple[str, ...]:
    alert = all_alerts()[state.name]
    seconds = f"{max(time.time() - state.since, 0):,.0f} s"
    return state.name, state.level, seconds, summary(alert, state)
