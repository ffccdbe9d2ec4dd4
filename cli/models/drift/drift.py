"""The command `predictq models drift`: how far rows and answers are from the sample."""

from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import click

from cli.http import as_json as printed
from cli.http import as_json_option, ask, url_option
from cli.models.drift.plots import feature_svg, feature_text
from cli.text_table import text_table

_HEADER = ("FEATURE", "KIND", "PSI", "BOUND", "DISTANCE", "MISSING", "STRANGE", "")
_PLOTTED = 3
"""Features that are plotted in the terminal without `--feature`: the drifted ones."""


@click.command()
@click.argument("name")
@click.option("--version", type=int, help="[default: that of `production`, else the latest]")
@click.option(
    "--hours", default=24, show_default=True, help="Compare rows of the last HOURS hours."
)
@click.option("--feature", help="Plot this column or output.")
@click.option(
    "--svg", type=click.Path(dir_okay=False, path_type=Path), help="File to write the plot to."
)
@as_json_option
@url_option
def drift(
    name: str,
    version: int | None,
    hours: int,
    feature: str | None,
    svg: Path | None,
    as_json: bool,
    url: str | None,
) -> None:
    """Show how far rows and answers of a version of NAME have drifted from its sample."""
    query = {"hours": hours} | ({} if version is None else {"version": version})
    found = ask(url, "GET", f"models/{name}/drift?{urlencode(query)}")
    plotted = _plotted(found["features"], feature)
    if svg is not None:
        svg.write_text(feature_svg(plotted))
    click.echo(printed(found) if as_json else "\n".join(_lines(found, plotted)))


def _plotted(features: list[dict[str, Any]], name: str | None) -> list[dict[str, Any]]:
    """The named feature, else those that drifted most."""
    if name is not None:
        chosen = [each for each in features if each["name"] == name]
        if not chosen:
            raise click.BadParameter(f"there is no feature {name!r}", param_hint="--feature")
        return chosen
    drifted = [each for each in features if each["drifted"]]
    return sorted(drifted, key=lambda each: -each["psi"])[:_PLOTTED]


def _lines(found: dict[str, Any], plotted: list[dict[str, Any]]) -> list[str]:
    what = f"{found['model']}:{found['version']}"
    counted = f"{found['rows']:,} rows beside {found['sample_rows']:,} of the sample"
    lines = [f"{what} {found['status'].replace('_', ' ')}: {found['why']}", counted]
    if found["features"]:
        lines.append(text_table(_HEADER, map(_line, found["features"])))
    return lines + [line for each in plotted for line in ("", *feature_text(each))]


def _line(feature: dict[str, Any]) -> tuple[str, ...]:
    distance = feature["distance"]
    return (
        feature["name"],
        feature["kind"],
        f"{feature['psi']:.3f}",
        f"{feature['bound']:.3f}",
        "-" if distance is None else f"{distance:.2f}",
        f"{feature['missing']:.1%}",
        f"{feature['strange']:.1%}",
        "drifted" if feature["drifted"] else "",
    )
