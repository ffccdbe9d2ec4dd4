"""The commands `predictq models pause` and `resume`."""

import click

from cli.http import ask, url_option
from registry.names import Reference, parse_reference
from telemetry.errors import Invalid


@click.command()
@click.argument("model", metavar="NAME:VERSION")
@click.option("--reason", help="Reason to tell callers.")
@url_option
def pause(model: str, reason: str | None, url: str | None) -> None:
    """Refuse submissions to NAME:VERSION and park its queued messages, until it is resumed."""
    answer = ask(url, "POST", _path(model, "pause"), {"reason": reason} if reason else {})
    click.echo(f"paused {answer['model']}" + ("" if answer["changed"] else ", which was paused"))


@click.command()
@click.argument("model", metavar="NAME:VERSION")
@url_option
def resume(model: str, url: str | None) -> None:
    """End the pause of NAME:VERSION, automatic or by an operator."""
    answer = ask(url, "POST", _path(model, "resume"))
    click.echo(f"resumed {answer['model']}" if answer["changed"] else f"{model} is not paused")


def _path(model: str, act: str) -> str:
    match parse_reference(model):
        case Reference(name, None, int(version)):
            return f"models/{name}/versions/{version}/{act}"
    raise Invalid(f"name one version, as name:version, not {model!r}")
