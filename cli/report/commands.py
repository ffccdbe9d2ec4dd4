"""The commands `predictq report` and `predictq metrics export`."""

import time
from pathlib import Path

import click

from cli import find_stack
from cli.failure import Failure
from cli.keys.durations import Duration
from cli.report.exporting import as_csv, as_json_text
from cli.report.figures import ReportFigures
from cli.report.page import report_page
from cli.report.reading import read_figures
from tasks.timeline.timeline import KEPT_MINUTES

LONGEST = KEPT_MINUTES * 60
_since_option = click.option(
    "--since",
    type=Duration(),
    default="24h",
    show_default=True,
    help="How far back. The same time before that is compared; 3 days are kept.",
)


@click.command()
@_since_option
@click.option("-o", "--output", type=click.Path(dir_okay=False, path_type=Path), required=True)
@find_stack.for_registry
def report(since: float, output: Path, home: Path) -> None:
    """Write what the stack did as one HTML file: load, latencies, versions, drift."""
    text = report_page(_figures(home, since), str(home))
    try:
        output.write_text(text)
    except OSError as error:
        raise Failure(f"cannot write {output}: {error}") from error
    click.echo(f"wrote {output}")


@click.group()
def metrics() -> None:
    """Print the figures of a report."""


@metrics.command("export")
@_since_option
@click.option("--format", "form", type=click.Choice(["json", "csv"]), default="json")
@find_stack.for_registry
def export_figures(since: float, form: str, home: Path) -> None:
    """Print the figures of a report as JSON or CSV."""
    figures = _figures(home, since)
    click.echo(as_json_text(figures) if form == "json" else as_csv(figures), nl=False)


def _figures(home: Path, since: float) -> ReportFigures:
    if not 60 <= since <= LONGEST:
        raise click.BadParameter("from 1m to 72h", param_hint="--since")
    now = time.time()
    return read_figures(home, now - since, now)
