"""The command `predictq models compare`: two versions of a split alias, side by side."""

from pathlib import Path
from typing import Any

import click

from cli.http import as_json as printed
from cli.http import as_json_option, ask, url_option
from cli.models.rollouts.plots import as_svg, as_text
from cli.text_table import text_table

_HEADER = ("VERSION", "ANSWERED", "FAILED", "ERRORS", "CALLS", "P50", "P95")


@click.command()
@click.argument("name")
@click.option("--alias", default="production", show_default=True)
@click.option(
    "--version", type=int, help="Version to compare with the main one, if there are several."
)
@click.option(
    "--svg", type=click.Path(dir_okay=False, path_type=Path), help="File to write the plot to."
)
@as_json_option
@url_option
def compare(
    name: str, alias: str, version: int | None, svg: Path | None, as_json: bool, url: str | None
) -> None:
    """Compare the versions of a split alias of NAME by errors and latency."""
    with_version = f"&version={version}" if version is not None else ""
    found = ask(url, "GET", f"models/{name}/comparison?alias={alias}{with_version}")
    decisive = found["verdict"]["measures"][0]["decisive"]
    if svg is not None:
        svg.write_text(as_svg(found["path"], decisive))
    click.echo(printed(found) if as_json else "\n".join(_lines(found, decisive)))


def _lines(found: dict[str, Any], decisive: float) -> list[str]:
    verdict = found["verdict"]
    lines = [
        text_table(_HEADER, map(_line, found["versions"])),
        f"verdict: {verdict['decision'].replace('_', ' ')}: {verdict['why']}",
        *(f"missing: {each}" for each in verdict["missing"]),
        *_agreement(found["agreement"]),
    ]
    return lines + (as_text(found["path"], decisive) if found["path"] else [])


def _agreement(shadow: dict[str, Any] | None) -> list[str]:
    if shadow is None:
        return []
    share = f"{shadow['disagreed']:,} of {shadow['rows']:,} rows differ"
    return [f"shadow {shadow['version']}: {shadow['verdict']['decision']}, {share}"]


def _line(version: dict[str, Any]) -> tuple[str, ...]:
    counts = (str(version[name]) for name in ("version", "answered", "failed", "errors", "calls"))
    return (*counts, *(_milliseconds(version[name]) for name in ("p50_ms", "p95_ms")))


def _milliseconds(value: float | None) -> str:
    return "-" if value is None else f"{value:.3g} ms"
