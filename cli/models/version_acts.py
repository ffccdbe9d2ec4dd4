"""The commands `predictq models pause`, `resume`, `load` and `unload`, each of one version."""

import click

from cli.http import ask, server, url_option
from registry.names import Reference, parse_reference
from telemetry.errors import Invalid

LOAD_TIMEOUT = 300.0
"""Seconds that workers may take to load or unload a version."""


@click.command()
@click.argument("model", metavar="NAME:VERSION")
@click.option("--reason", help="Reason that callers are told.")
@url_option
def pause(model: str, reason: str | None, url: str | None) -> None:
    """Refuse submissions to NAME:VERSION and park its queued messages until it is resumed."""
    answer = ask(url, "POST", _path(model, "pause"), {"reason": reason} if reason else {})
    click.echo(f"paused {answer['model']}" + ("" if answer["changed"] else ", which was paused"))


@click.command()
@click.argument("model", metavar="NAME:VERSION")
@url_option
def resume(model: str, url: str | None) -> None:
    """End the pause of NAME:VERSION, automatic or by an operator."""
    answer = ask(url, "POST", _path(model, "resume"))
    click.echo(f"resumed {answer['model']}" if answer["changed"] else f"{model} is not paused")


@click.command()
@click.argument("model", metavar="NAME:VERSION")
@url_option
def load(model: str, url: str | None) -> None:
    """Load NAME:VERSION in every worker of the stack."""
    with server(url) as client:
        client.models.load(*one_version(model), timeout=LOAD_TIMEOUT)
    click.echo(f"every worker holds {model}")


@click.command()
@click.argument("model", metavar="NAME:VERSION")
@url_option
def unload(model: str, url: str | None) -> None:
    """Unload NAME:VERSION in every worker. The next prediction loads it again."""
    with server(url) as client:
        client.models.unload(*one_version(model), timeout=LOAD_TIMEOUT)
    click.echo(f"no worker holds {model}")


def _path(model: str, act: str) -> str:
    name, version = one_version(model)
    return f"models/{name}/versions/{version}/{act}"


def one_version(model: str) -> tuple[str, int]:
    """Name and number in NAME:VERSION; raises `Invalid` for anything else."""
    match parse_reference(model):
        case Reference(name, None, int(version)):
            return name, version
    raise Invalid(f"name one version, as name:version, not {model!r}")
