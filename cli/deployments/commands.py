"""The `predictq deployments` commands."""

from pathlib import Path
from typing import Any, ClassVar

import click

from cli import find_stack
from cli.deployments.changing import named
from cli.deployments.documents import DOCUMENTS
from cli.http import as_json as printed
from cli.http import as_json_option, ask, url_option
from cli.lazy import LazyCommand
from cli.models.commands import RegistryGroup
from cli.text_table import text_table
from registry.deploying.deploying import deployment_of
from registry.splits import meaning_of
from registry.store import Registry

_HEADER = ("DEPLOYMENT", "VERSION", "STATUS", "PROCESSES", "WAITING", "OLDEST", "OUTCOMES")


class _Group(RegistryGroup):
    lazy_commands: ClassVar = {
        "scale": LazyCommand(
            "cli.deployments.changing:scale",
            "Change the limits of a deployment, and replace its worker without downtime.",
        ),
        "stop": LazyCommand(
            "cli.deployments.changing:end_workers",
            "Stop the workers of a deployment. Accepted predictions stay in its queue.",
        ),
        "start": LazyCommand(
            "cli.deployments.changing:start", "Start the workers of a deployment again."
        ),
        "delete": LazyCommand(
            "cli.deployments.changing:delete",
            "Delete a deployment. Its alias remains, and shared workers compute for it.",
        ),
    }


@click.group(cls=_Group)
def deployments() -> None:
    """Manage deployments. `predictq models deploy` creates one."""


@deployments.command()
@as_json_option
@url_option
def status(as_json: bool, url: str | None) -> None:
    """Show the state of each deployment of a running stack."""
    found = ask(url, "GET", "deployments")
    lines = map(_line, found["deployments"])
    click.echo(printed(found) if as_json else text_table(_HEADER, lines))


@deployments.command()
@click.argument("name", metavar="NAME[@ENVIRONMENT]")
@click.option(
    "--as",
    "form",
    type=click.Choice([*DOCUMENTS]),
    help="Print a document for this system.",
)
@find_stack.for_registry
def show(name: str, form: str | None, home: Path) -> None:
    """Show a deployment as JSON, or as a document for another system."""
    model, environment = named(name)
    there = {each.environment: each for each in Registry(home).deployments_of(model)}
    found = deployment_of(model, there, environment)
    if form:
        click.echo(DOCUMENTS[form](found, home), nl=False)
    else:
        click.echo(printed(found))


def _line(state: dict[str, Any]) -> tuple[str, ...]:
    version, oldest = state["version"], state["oldest_seconds"]
    shares = version if isinstance(version, int) else {int(n): s for n, s in version.items()}
    return (
        f"{state['model']}@{state['environment']}",
        meaning_of(state["model"], shares),
        state["status"],
        f"{state['processes']} of {state['concurrency']}",
        str(state["waiting"]),
        "-" if oldest is None else f"{oldest:.1f} s",
        str(sum(state["outcomes"].values())),
    )
