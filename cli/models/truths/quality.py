"""The command `predictq models quality`: how good a version is, by what came true."""

from typing import Any

import click

from cli.http import as_json as printed
from cli.http import as_json_option, server, url_option
from cli.models.version_acts import one_version
from cli.text_table import text_table

_MEASURES = {
    "ACCURACY": "accuracy",
    "LOG LOSS": "log_loss",
    "ABSOLUTE ERROR": "mean_absolute_error",
    "SQUARED ERROR": "root_mean_squared_error",
}


@click.command()
@click.argument("model", metavar="NAME:VERSION")
@click.option(
    "--days", default=30, show_default=True, type=click.IntRange(1, 90), help="Latest days."
)
@as_json_option
@url_option
def quality(model: str, days: int, as_json: bool, url: str | None) -> None:
    """Show how good NAME:VERSION is, day by day, by what came true."""
    name, version = one_version(model)
    with server(url) as client:
        found = client.models.quality(name, version, days=days)
    if as_json:
        click.echo(printed(found))
    elif not found["days"]:
        click.echo(f"no labels of {model} were sent: `predictq models label ID LABEL` tells one")
    else:
        rows = [*found["days"], found["total"]]
        click.echo(text_table(("DAY", "ROWS", *_MEASURES), map(_line, rows)))


def _line(day: dict[str, Any]) -> tuple[str, ...]:
    measured = (day[field] for field in _MEASURES.values())
    shown = ("-" if value is None else f"{value:.4g}" for value in measured)
    return (day["day"] or "together", f"{day['rows']:,}", *shown)
